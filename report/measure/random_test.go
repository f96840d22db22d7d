package measure

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
)

// randomTest draws a history of workers, phases, faults, moved clocks and clients that die, with the run and the
// verdict that it is measured by. Times often stand still.
type randomTest struct {
	t       *rapid.T
	now     int64
	ops     []history.Op
	workers []*randomWorker
	steps   int
	open    []history.Op // faults that are not healed
	phase   string

	nemesisAt int64 // when its newest line was
}

type randomWorker struct {
	client  string
	n       int64 // of the process
	grant   int64
	lock    string
	waiting bool
	holding bool
	due     int64
}

func (r *randomTest) pick(n int) int { return rapid.IntRange(0, n-1).Draw(r.t, "pick") }

func (r *randomTest) add(op history.Op) {
	op.Time, op.Index = r.now, int64(len(r.ops))
	r.ops = append(r.ops, op)
}

func (r *randomTest) nemesis(typ history.Type, f string, fault *history.Fault) {
	if r.now <= r.nemesisAt { // what it does at one time is in no order
		r.now++
	}
	r.nemesisAt = r.now
	op := history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f, Fault: fault}
	if f == history.Phase {
		op.Phase = r.phase
	}
	r.add(op)
}

func (r *randomTest) worker(w *randomWorker, openLoop bool, locks int) {
	op := history.Op{Client: w.client, Process: w.n, Lock: w.lock, Grant: w.grant, F: history.Acquire}
	switch {
	case !w.waiting && !w.holding:
		w.grant++
		w.lock = fmt.Sprint("l", r.pick(locks))
		w.waiting = true
		op.Type, op.Lock, op.Grant = history.Invoke, w.lock, w.grant
		if openLoop {
			w.due += 10
			op.Intended = min(w.due, r.now)
		}
		r.add(op)
	case w.waiting:
		w.waiting = false
		op.Type = rapid.SampledFrom([]history.Type{history.OK, history.OK, history.OK, history.Fail, history.Info}).Draw(r.t, "outcome")
		if op.Type != history.OK {
			op.Error = rapid.SampledFrom([]string{"deadlock detected", "timeout", "no"}).Draw(r.t, "error")
		}
		w.holding = op.Type == history.OK
		r.add(op)
		if op.Type == history.Info {
			r.replace(w)
		}
	default:
		w.holding = false
		if op.F = history.Abandon; r.pick(3) > 0 {
			op.F, op.Type = history.Release, history.Invoke
			r.add(op)
		}
		op.Type = history.OK
		r.add(op)
	}
}

// replace makes the worker go on under a new process number.
func (r *randomTest) replace(w *randomWorker) {
	w.n = w.n + int64(len(r.workers))
	w.grant, w.waiting, w.holding = 0, false, false
}

func (r *randomTest) inject() {
	r.steps++
	name := rapid.SampledFrom([]string{"partition", "pause", "clock-jump"}).Draw(r.t, "fault")
	fault := &history.Fault{Step: r.steps, Role: "holder"}
	r.nemesis(history.Invoke, name, fault)
	r.now += int64(r.pick(3))
	r.nemesis(rapid.SampledFrom([]history.Type{history.OK, history.OK, history.OK, history.Info}).Draw(r.t, "injected"), name, fault)
	r.open = append(r.open, r.ops[len(r.ops)-1])
}

func (r *randomTest) heal() {
	if len(r.open) == 0 {
		return
	}
	fault := r.open[0].Fault
	r.open = r.open[1:]
	r.nemesis(history.Invoke, history.Heal, fault)
	r.now += int64(r.pick(3))
	r.nemesis(history.OK, history.Heal, fault)
}

func (r *randomTest) kill() {
	victim := rapid.SampledFrom([]string{"c0", "c1", "c2"}).Draw(r.t, "victim")
	r.add(history.Op{Client: victim, Process: history.NemesisProcess, Type: history.Invoke, F: history.Kill})
	for _, w := range r.workers {
		if w.client == victim {
			r.replace(w)
		}
	}
}

// die is silent: the client goes on under new process numbers.
func (r *randomTest) die() {
	victim := fmt.Sprint("c", r.pick(3))
	for _, w := range r.workers {
		if w.client == victim {
			r.replace(w)
		}
	}
}

func drawTest(t *rapid.T) ([]history.Op, results.Run, results.Test, results.TestVerdict) {
	r := &randomTest{t: t, now: 1000}
	for i := range 3 + r.pick(3) {
		r.workers = append(r.workers, &randomWorker{client: fmt.Sprint("c", i%3), n: int64(i), due: 1000})
	}
	openLoop := r.pick(4) == 0
	locks := 1 + r.pick(3)
	deaths := r.pick(3) == 0
	for range rapid.SampledFrom([]int{0, 30, 100, 200}).Draw(t, "steps") {
		r.now += int64(rapid.SampledFrom([]int{0, 0, 1, 2, 7, 40}).Draw(t, "step"))
		switch n := r.pick(40); {
		case n < 30:
			w := r.workers[r.pick(len(r.workers))]
			r.worker(w, openLoop, locks)
		case n < 33 && r.phase == "":
			if r.pick(5) == 0 {
				r.now += 3000
			}
			r.phase = rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "phase")
			r.nemesis(history.Invoke, history.Phase, nil)
		case n < 33:
			r.nemesis(rapid.SampledFrom([]history.Type{history.OK, history.OK, history.Info}).Draw(t, "end"), history.Phase, nil)
			r.phase = ""
		case n < 35:
			r.inject()
		case n < 37:
			r.heal()
		case n == 37:
			r.kill()
		case n == 38 && deaths:
			r.die()
		}
	}
	run := results.Run{
		Workload: results.Workload{AcquireTimeout: 100},
		Plan: []results.PlannedPhase{
			{Name: "a", Latency: true}, {Name: "b", Faults: []results.PlannedFault{{Name: "clock-jump", Traits: []string{movesClocks}}}},
			{Name: "c", Latency: r.pick(2) == 0, Contended: r.pick(2) == 0},
		},
		Tables: []results.Table{results.Contention, results.Deadlocks, results.Leadership, results.Clocks},
	}
	if r.pick(2) == 0 {
		run.Workload.Clients, run.Workload.Workers = 1, len(r.workers)
	}
	test := results.Test{Name: "t", Driver: "d", Phases: []results.Phase{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	run.Tests = []results.Test{test}
	var verdict results.TestVerdict
	if h, err := history.Parse(r.ops); err == nil && len(h.Grants) > 0 {
		for range r.pick(3) {
			in := checker.Incident{Lock: "l0", Kinds: []string{"overlap"}}
			for range 1 + r.pick(4) {
				g := h.Grants[r.pick(len(h.Grants))]
				in.Grants = append(in.Grants, checker.GrantID{Process: g.Process.N, Grant: g.N})
			}
			in.Begin = 1000 + rapid.Int64Range(0, r.now-1000).Draw(t, "begin")
			in.End = in.Begin + rapid.Int64Range(0, r.now-in.Begin).Draw(t, "length")
			verdict.Result.Incidents = append(verdict.Result.Incidents, in)
		}
	}
	return r.ops, run, test, slices.Clip([]results.TestVerdict{verdict})[0]
}
