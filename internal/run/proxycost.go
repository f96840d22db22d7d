package run

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/probe"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/results"
)

// measureProxy compares round trips from one process to another with and without a link.
func measureProxy(a provision.Host, logs, listen string) (cost results.ProxyCost, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("measure the proxies: %w", err)
		}
	}()
	dir, err := a.Dir("probe", nil)
	if err != nil {
		return cost, err
	}
	addrs, err := a.Addresses("probe's server", 1)
	if err != nil {
		return cost, err
	}
	log := filepath.Join(logs, "probe.log")
	echo, err := startProbe(a, provision.Command{Name: "probe's server", Args: []string{probe.Subcommand, probe.Echo, addrs[0]}, Dir: dir, Log: log})
	if err != nil {
		return cost, err
	}
	defer func() {
		err = errors.Join(err, echo.Talk().Input.Close(), echo.Talk().Output.Close()) // the server ends with its input
		<-echo.Exited()
	}()
	addr, err := bufio.NewReader(echo.Talk().Output).ReadString('\n')
	if err != nil {
		return cost, fmt.Errorf("read the address of the probe's server: %w", errors.Join(err, echo.Err()))
	}
	direct := strings.TrimSpace(addr)
	network := links.New()
	defer network.Close()
	linked, err := network.Open("probe", "echo", listen, direct)
	if err != nil {
		return cost, err
	}
	ask, err := startProbe(a, provision.Command{Name: "probe's client", Args: []string{probe.Subcommand, probe.Ask, direct, linked}, Dir: dir, Log: log})
	if err != nil {
		return cost, err
	}
	defer ask.Talk().Output.Close() // it was only read
	if err := ask.Talk().Input.Close(); err != nil {
		return cost, err
	}
	var without, with probe.Quantiles
	for in, q := json.NewDecoder(ask.Talk().Output), []*probe.Quantiles{&without, &with}; len(q) > 0; q = q[1:] {
		if err := in.Decode(q[0]); err != nil {
			<-ask.Exited()
			return cost, errors.Join(fmt.Errorf("read what the probe measured: %w", err), ask.Err())
		}
	}
	<-ask.Exited()
	return results.ProxyCost{DirectP50: without.P50, DirectP99: without.P99, ProxyP50: with.P50, ProxyP99: with.P99}, ask.Err()
}

// startProbe starts the program again.
func startProbe(a provision.Host, c provision.Command) (provision.Process, error) {
	self, err := a.Self()
	if err != nil {
		return nil, err
	}
	c.Path, c.Talk = self, true
	return a.Start(c)
}
