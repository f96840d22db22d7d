package checker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/checker/history"
)

// porcupineBound is how long Porcupine may think about one history. It gives no answer to the ambiguous one in 30 s
// either; five are enough to see that, and keep `make bench` short.
const porcupineBound = 5 * time.Second

// contest is the history of clients that all want one lock all the time, in both languages.
type contest struct {
	ops []history.Op
	// given is what mutexOperations would make of it, without taking quadratic time to look for deaths.
	given []porcupine.Operation
	now   int64
}

func (c *contest) line(process int, f string, typ history.Type, grant int64) int64 {
	c.now++
	c.ops = append(c.ops, history.Op{
		Index: int64(len(c.ops)), Time: c.now, Client: fmt.Sprintf("c%d", process), Process: int64(process), Type: typ, F: f, Lock: "l", Grant: grant,
	})
	return c.now
}

// hold is a grant on its way.
type hold struct {
	process int
	grant   int64
	invoked int64
}

func (h hold) step(release bool) step {
	return step{lock: "l", grant: GrantID{int64(h.process), h.grant}, release: release}
}

// newContest grants a right lock so many times, to one of the waiting clients at random. Evenly among these, so many
// acquires are invoked that never return, each by a client of its own. If wrong, the last grant is made while the
// lock is held by the one before it.
func newContest(random *rand.Rand, clients, grants, ambiguous int, wrong bool) *contest {
	c := &contest{}
	var waiting []hold
	ask := func(process int, grant int64) {
		waiting = append(waiting, hold{process, grant, c.line(process, history.Acquire, history.Invoke, grant)})
	}
	take := func() hold {
		i := random.IntN(len(waiting))
		h := waiting[i]
		waiting[i] = waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		c.given = append(c.given, operation(h.step(false), h.invoked, c.line(h.process, history.Acquire, history.OK, h.grant)))
		return h
	}
	give := func(h hold) {
		call := c.line(h.process, history.Release, history.Invoke, h.grant)
		c.given = append(c.given, operation(h.step(true), call, c.line(h.process, history.Release, history.OK, h.grant)))
	}
	for process := range clients {
		ask(process, 1)
	}
	for n := range grants {
		if n*ambiguous%grants < ambiguous {
			h := hold{process: clients + n, grant: 1}
			h.invoked = c.line(h.process, history.Acquire, history.Invoke, h.grant)
			c.given = append(c.given, operation(h.step(false), h.invoked, ever), operation(h.step(true), h.invoked, ever))
		}
		h := take()
		if wrong && n == grants-2 {
			give(take())
			give(h)
			break
		}
		give(h)
		ask(h.process, h.grant+1)
	}
	for _, h := range waiting { // in vain: the run is over
		c.line(h.process, history.Acquire, history.Fail, h.grant)
	}
	return c
}

// checked is how long our checker takes to find so many overlaps.
func (c *contest) checked(b *testing.B, overlaps int) time.Duration {
	begin := time.Now()
	r, err := Check(c.ops, Options{})
	if err != nil || r.Counts.Overlap != overlaps {
		b.Fatalf("%+v, %v; want %d overlaps", r.Counts, err, overlaps)
	}
	return time.Since(begin)
}

// BenchmarkPorcupine compares the checker with Porcupine on the same histories. An op is an acquire or a release.
func BenchmarkPorcupine(b *testing.B) {
	b.Run("mutex", func(b *testing.B) {
		c := newContest(rand.New(rand.NewPCG(1, 1)), 16, 50_000, 0, false)
		var ours, theirs time.Duration
		for b.Loop() {
			ours += c.checked(b, 0)
			begin := time.Now()
			if !porcupine.CheckOperations(mutexModel(), c.given) {
				b.Fatal("Porcupine convicts a right lock")
			}
			theirs += time.Since(begin)
		}
		ops := float64(b.N * len(c.given))
		b.ReportMetric(ops/ours.Seconds(), "ops/s")
		b.ReportMetric(ops/theirs.Seconds(), "porcupine-ops/s")
		b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-as-fast")
	})
	// Acquires that never return are what faults leave behind. Each may have happened at any time since.
	b.Run("ambiguous", func(b *testing.B) {
		c := newContest(rand.New(rand.NewPCG(1, 1)), 16, 280, 20, true)
		for b.Loop() {
			c.checked(b, 1)
		}
		b.StopTimer()
		begin := time.Now()
		answers := 0.0
		switch porcupine.CheckOperationsTimeout(mutexModel(), c.given, porcupineBound) {
		case porcupine.Ok:
			b.Fatal("Porcupine passes a wrong lock")
		case porcupine.Illegal:
			answers = 1
		}
		b.ReportMetric(answers, "porcupine-answers")
		b.ReportMetric(time.Since(begin).Seconds(), "porcupine-s")
	})
}
