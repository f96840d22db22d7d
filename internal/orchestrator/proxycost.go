package orchestrator

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/probe"
	"github.com/lockbench/lockbench/internal/results"
)

// measureProxy compares round trips from one process to another with and without a link.
func measureProxy(a agent.Agent, logs string) (cost results.ProxyCost, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("measure the proxies: %w", err)
		}
	}()
	dir, err := a.Dir("probe")
	if err != nil {
		return cost, err
	}
	log := filepath.Join(logs, "probe.log")
	stdin, hold, err := os.Pipe() // the server ends when hold is closed
	if err != nil {
		return cost, err
	}
	echo, said, err := startProbe(a, agent.Command{Name: "probe's server", Args: []string{probe.Subcommand, probe.Echo}, Dir: dir, Log: log, Stdin: stdin})
	err = errors.Join(err, stdin.Close())
	if err != nil {
		return cost, errors.Join(err, hold.Close())
	}
	defer func() {
		err = errors.Join(err, hold.Close(), said.Close())
		<-echo.Exited()
	}()
	addr, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return cost, fmt.Errorf("read the address of the probe's server: %w", errors.Join(err, echo.Err()))
	}
	direct := strings.TrimSpace(addr)
	links := faults.NewLinks()
	defer links.Close()
	linked, err := links.Open("probe", "echo", "127.0.0.1:0", direct)
	if err != nil {
		return cost, err
	}
	ask, said2, err := startProbe(a, agent.Command{Name: "probe's client", Args: []string{probe.Subcommand, probe.Ask, direct, linked}, Dir: dir, Log: log})
	if err != nil {
		return cost, err
	}
	defer said2.Close() // it was only read
	var without, with probe.Quantiles
	for in, q := json.NewDecoder(said2), []*probe.Quantiles{&without, &with}; len(q) > 0; q = q[1:] {
		if err := in.Decode(q[0]); err != nil {
			<-ask.Exited()
			return cost, errors.Join(fmt.Errorf("read what the probe measured: %w", err), ask.Err())
		}
	}
	<-ask.Exited()
	return results.ProxyCost{DirectP50: without.P50, DirectP99: without.P99, ProxyP50: with.P50, ProxyP99: with.P99}, ask.Err()
}

// startProbe starts the program again, and returns what it writes.
func startProbe(a agent.Agent, c agent.Command) (*agent.Process, io.ReadCloser, error) {
	self, err := agent.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find the program to run as %s: %w", c.Name, err)
	}
	said, stdout, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	c.Path, c.Stdout = self, stdout
	p, err := a.Start(c)
	err = errors.Join(err, stdout.Close()) // the child keeps its own
	if err != nil {
		return nil, nil, errors.Join(err, said.Close())
	}
	return p, said, nil
}
