package orchestrator

import (
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/results"
)

// proxyRounds is how many round trips are measured each way: enough for a p99, done in some 100 ms.
const proxyRounds = 1000

// measureProxy compares round trips to an echo server with and without a link.
func measureProxy() (cost results.ProxyCost, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return cost, fmt.Errorf("measure the proxy: %w", err)
	}
	defer ln.Close()
	go echo(ln)
	links := faults.NewLinks()
	defer links.Close()
	linked, err := links.Open("probe", "echo", "127.0.0.1:0", ln.Addr().String())
	if err != nil {
		return cost, fmt.Errorf("measure the proxy: %w", err)
	}
	if cost.DirectP50, cost.DirectP99, err = roundTrips(ln.Addr().String()); err != nil {
		return cost, fmt.Errorf("measure round trips without the proxy: %w", err)
	}
	if cost.ProxyP50, cost.ProxyP99, err = roundTrips(linked); err != nil {
		return cost, fmt.Errorf("measure round trips through the proxy: %w", err)
	}
	return cost, nil
}

func echo(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn) // ends with the caller
		}()
	}
}

func roundTrips(addr string) (p50, p99 time.Duration, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, 0, err
	}
	var b [64]byte
	took := make([]time.Duration, 0, proxyRounds)
	for range proxyRounds {
		began := time.Now()
		if _, err := conn.Write(b[:]); err != nil {
			return 0, 0, err
		}
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], nil
}
