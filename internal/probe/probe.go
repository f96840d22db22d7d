// Package probe measures round trips between two processes: what a path between a client and a server costs that does
// nothing.
package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/lockbench/lockbench/internal/quantile"
)

// Subcommand is what the program is started again with: as a server that sends back what it gets, or as the client
// that times it. They are processes, because within one process nobody has to be woken by the kernel, which is most
// of what a hop costs.
const Subcommand = "probe"

// The first argument of the Subcommand. The addresses follow Ask.
const (
	Echo = "echo"
	Ask  = "ask"
)

// Rounds is how many round trips are timed on each path: enough for a p99, done in some 100 ms.
const Rounds = 1000

const (
	size     = 64 // bytes of a request, and of its answer
	warmUp   = 50 // round trips that are not timed
	patience = 30 * time.Second
)

// Quantiles are those of the round trips of one path.
type Quantiles struct {
	P50 time.Duration `json:"p50_ns"`
	P99 time.Duration `json:"p99_ns"`
}

// Run is the Subcommand.
func Run(stdin io.Reader, stdout io.Writer, args []string) error {
	switch {
	case len(args) == 2 && args[0] == Echo:
		return echo(stdin, stdout, args[1])
	case len(args) > 1 && args[0] == Ask:
		return ask(stdout, args[1:])
	default:
		return fmt.Errorf("the probe cannot do %q", args)
	}
}

// echo listens at addr, writes the address as one line, and serves until stdin ends.
func echo(stdin io.Reader, stdout io.Writer, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the probe: %w", err)
	}
	defer ln.Close()
	go serve(ln)
	if _, err := fmt.Fprintln(stdout, ln.Addr()); err != nil {
		return fmt.Errorf("tell the probe's address: %w", err)
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}

func serve(ln net.Listener) {
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

// ask times round trips on the paths to some addresses, in turn, so that a machine that drifts hurts all alike, and
// writes a Quantiles for each as a line of JSON.
func ask(stdout io.Writer, addrs []string) error {
	paths := make([]*path, len(addrs))
	for i, addr := range addrs {
		conn, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			return fmt.Errorf("connect the probe: %w", err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return fmt.Errorf("bound the probe: %w", err)
		}
		paths[i] = &path{conn: conn}
	}
	for i := range warmUp + Rounds {
		for _, p := range paths {
			if err := p.round(i >= warmUp); err != nil {
				return fmt.Errorf("time a round trip: %w", err)
			}
		}
	}
	out := json.NewEncoder(stdout)
	for _, p := range paths {
		if err := out.Encode(p.quantiles()); err != nil {
			return fmt.Errorf("tell the probe's result: %w", err)
		}
	}
	return nil
}

// path is a connection and how long its round trips took.
type path struct {
	conn net.Conn
	took []time.Duration
}

func (p *path) round(timed bool) error {
	var b [size]byte
	began := time.Now()
	if _, err := p.conn.Write(b[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(p.conn, b[:]); err != nil {
		return err
	}
	if timed {
		p.took = append(p.took, time.Since(began))
	}
	return nil
}

func (p *path) quantiles() Quantiles {
	slices.Sort(p.took)
	at := func(q float64) time.Duration { return p.took[quantile.Rank(q, int64(len(p.took)))-1] }
	return Quantiles{P50: at(.5), P99: at(.99)}
}
