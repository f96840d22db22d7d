package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"golang.org/x/perf/benchmath"
	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/monotime"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/resource"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/run"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/scenarios"
)

type options struct {
	slices int
	each   time.Duration
	quiet  bool
	idle   bool
	out    io.Writer
}

// own and bare begin the names of the phases in which each side works.
const own, bare = "own", "bare"

// spare is how much longer a bare phase lasts than its slice: the worker ends its cycle, and the bare client answers.
const spare = 50 * time.Millisecond

// scenario has pairs of phases, one for each side, the order alternating. In a bare phase the worker thinks for an
// hour.
func (o options) scenario(driver string) scenarios.Scenario {
	one, none, hour := 1, scenarios.Range{}, scenarios.Range{}
	hour.Min.Fixed, hour.Max.Fixed = time.Hour, time.Hour
	s := scenarios.Scenario{
		Name: "overhead", Summary: "What lockbench adds to an acquire.",
		Workload: scenarios.Workload{
			Clients: 2, Workers: 1, Locks: 1, TTL: scenarios.Duration(ttl), AcquireTimeout: scenarios.Duration(time.Second),
			Fencing: scenarios.Unfenced, Lost: scenarios.Heeding,
		},
	}
	for i := range o.slices {
		pair := []scenarios.Phase{
			{Name: fmt.Sprint(own, i), For: scenarios.Span{Fixed: o.each}, Workload: &scenarios.Override{Clients: &one, Think: &none}},
			{Name: fmt.Sprint(bare, i), For: scenarios.Span{Fixed: o.each + spare}, Workload: &scenarios.Override{Clients: &one, Think: &hour}},
		}
		if i%2 == 1 {
			pair[0], pair[1] = pair[1], pair[0]
		}
		for _, p := range pair {
			p.Alone, p.Latency = true, true
			s.Phases = append(s.Phases, p)
		}
	}
	return s
}

// spy is a back-end that tells where its servers are.
type spy struct {
	servers.Backend
	at chan<- cluster
}

// Start implements servers.Backend.
func (s spy) Start(ctx context.Context, spec servers.Spec) (servers.Cluster, error) {
	c, err := s.Backend.Start(ctx, spec)
	if err == nil {
		at := cluster{Credentials: c.Credentials()}
		for _, n := range c.Nodes() {
			at.Addrs = append(at.Addrs, n.Addr)
		}
		s.at <- at
	}
	return c, err
}

// measure compares both sides of one lock and writes its line.
func (o options) measure(ctx context.Context, d drivers.Driver) error {
	out, err := os.MkdirTemp("", "overhead-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	at := make(chan cluster, 1)
	var backends []servers.Backend
	for _, b := range servers.Backends() {
		backends = append(backends, spy{b, at})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	open := opening{Driver: d.Info.Name, Secret: rand.Text()}
	if !o.idle {
		clock, err := monotime.New()
		if err != nil {
			return err
		}
		server, err := resource.Listen(resource.Config{Addr: "127.0.0.1:0", Secret: open.Secret, Clock: clock, Record: func(*history.Op) error { return nil }})
		if err != nil {
			return err
		}
		defer server.Close()
		open.Store = server.Addr()
	}
	other := &bareSide{each: o.each, open: open, turn: make(chan struct{}, o.slices), done: make(chan error, 1)}
	go func() { other.done <- other.run(ctx, at) }()
	cpu := &coordinator{}
	feed := progress.Start(progress.NewLive(io.Discard, func() int { return 100 }, time.Now), time.Second)
	dir, err := run.Run(ctx, run.Config{
		Scenario: o.scenario(d.Info.Name), Drivers: []drivers.Driver{d}, Backends: backends, Seed: 1, Direct: true, Out: out,
		Fence: resource.RejectLower, Progress: func(e progress.Event) {
			if !o.quiet {
				feed.Emit(e)
			}
			if e.Kind != progress.PhaseStarted && e.Kind != progress.PhaseEnded {
				return
			}
			if e.Phase[:len(own)] == own {
				cpu.mark(e)
			} else if e.Kind == progress.PhaseStarted {
				other.turn <- struct{}{}
			}
		},
	})
	close(other.turn)
	close(at)
	if err = errors.Join(err, feed.Close(), <-other.done); err != nil {
		return err
	}
	ours, err := sliceP50s(dir, o.slices)
	if err != nil {
		return err
	}
	return o.report(d.Info.Name, ours, other.p50s, cpu)
}

// report writes a lock's line.
func (o options) report(driver string, ours, bares []time.Duration, cpu *coordinator) error {
	if len(ours) != len(bares) {
		return fmt.Errorf("%d slices of ours and %d bare ones", len(ours), len(bares))
	}
	var ratios, own, bare []float64
	for i := range ours {
		ratios, own, bare = append(ratios, float64(ours[i])/float64(bares[i])), append(own, float64(ours[i])), append(bare, float64(bares[i]))
	}
	ratio := median(ratios)
	_, err := fmt.Fprintf(o.out, "%-18s ratio %.3f [%.3f, %.3f]  %d slices  p50 %s / %s  coordinator %.1f %% of a core\n", driver,
		ratio.Center, ratio.Lo, ratio.Hi, len(ratios), units.Duration(time.Duration(median(own).Center)),
		units.Duration(time.Duration(median(bare).Center)), 100*cpu.used.Seconds()/cpu.passed.Seconds())
	return err
}

// median is the median with its 95 % interval, whatever the distribution.
func median(values []float64) benchmath.Summary {
	return benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), 0.95)
}

// bareSide drives the bare client.
type bareSide struct {
	each time.Duration
	open opening       // without the servers
	turn chan struct{} // a value for each slice; closed when there are no more
	done chan error
	p50s []time.Duration
}

func (b *bareSide) run(ctx context.Context, at <-chan cluster) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	select {
	case b.open.cluster = <-at: // nil: no servers were started
	case <-ctx.Done():
		return ctx.Err()
	}
	cmd := exec.CommandContext(ctx, exe, bareCommand)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := json.NewEncoder(in).Encode(b.open); err != nil {
		return err
	}
	lines := bufio.NewScanner(answers)
	for range b.turn {
		time.Sleep(spare / 3)
		if _, err := fmt.Fprintln(in, int64(b.each)); err != nil {
			return err
		}
		if !lines.Scan() {
			return errors.Join(errors.New("the bare client ended"), cmd.Wait())
		}
		var took time.Duration
		if err := json.Unmarshal(lines.Bytes(), &took); err != nil {
			return err
		}
		b.p50s = append(b.p50s, took)
	}
	return errors.Join(in.Close(), cmd.Wait())
}

// coordinator adds up the CPU time of this process in the phases of its own worker.
type coordinator struct {
	used, passed time.Duration
	cpu          time.Duration
	at           time.Time
}

func (c *coordinator) mark(e progress.Event) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return // it never fails for this process
	}
	cpu := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if e.Kind == progress.PhaseEnded {
		c.used += cpu - c.cpu
		c.passed += e.Time.Sub(c.at)
	}
	c.cpu, c.at = cpu, e.Time
}

// sliceP50s reads the p50 of the acquires of each of our phases from the history. Phases are told apart by their order.
func sliceP50s(dir string, n int) (p50s []time.Duration, err error) {
	saved, err := results.Load(dir)
	if err != nil {
		return nil, err
	}
	if len(saved.Run.Tests) != 1 {
		return nil, fmt.Errorf("%d tests", len(saved.Run.Tests))
	}
	f, err := os.Open(results.Dir(dir).History(saved.Run.Tests[0].Name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var took []time.Duration
	asked, phase := map[int64]int64{}, -1
	err = history.ForEach(f, func(op *history.Op) error {
		switch {
		case op.F == history.Phase && op.Type == history.Invoke:
			phase++
			took = nil
		case op.F == history.Phase:
			if pair := phase / 2; (phase%2 == 0) == (pair%2 == 0) { // ours
				p50s = append(p50s, p50(took))
			}
		case op.F == history.Acquire && op.Type == history.Invoke:
			asked[op.Process] = op.Time
		case op.F == history.Acquire && op.Type == history.OK:
			took = append(took, time.Duration(op.Time-asked[op.Process]))
		}
		return nil
	})
	if err == nil && len(p50s) != n {
		err = fmt.Errorf("%d of %d phases in the history", len(p50s), n)
	}
	return p50s, err
}
