package measure

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
)

var latencyTest = results.Test{Name: "t", Phases: []results.Phase{{Name: "healthy"}, {Name: "cut"}}}

func TestLatencyIsExact(t *testing.T) {
	var s histories.Script
	s.Acquire(9, 0, 999, history.OK) // before the phase
	s.Phase(1000, 1000+1e9, "healthy", func() {
		for i := range int64(1000) {
			s.Acquire(1, 1000+i*1e6, 1000+i*1e6+1000+i, history.OK) // 1000 … 1999 ns
		}
		s.Acquire(2, 5000, 9000, history.Fail)
		s.Acquire(3, 5000, 9000, history.Info)
		s.Acquire(4, 5000, 0, "")
	})
	s.Acquire(9, 3e9, 4e9, history.OK) // after it
	m := measure(t, latencyTest, time.Second, s.Ops)
	l := m.Latency
	if l.Samples != 1000 || l.NotGranted != 3 || l.OpenLoop {
		t.Errorf("samples %d, not granted %d, open loop %v", l.Samples, l.NotGranted, l.OpenLoop)
	}
	wantSpan(t, "p50", l.Quantile(0.5), 1499)
	wantSpan(t, "p99", l.Quantile(0.99), 1989)
	wantSpan(t, "p99.9", l.Quantile(0.999), 1998)
	wantSpan(t, "max", l.Max(), 1999)
	if rate, ok := l.Throughput(); !ok || rate != 1000 {
		t.Errorf("throughput %v, %v", rate, ok)
	}
}

func TestLatencyCountsFromTheIntendedStart(t *testing.T) {
	var s histories.Script
	s.Phase(0, 1e6, "healthy", func() {
		for range 2 {
			s.Acquire(1, 500, 600, history.OK)
			s.Ops[len(s.Ops)-2].Intended = 100
		}
	})
	m := measure(t, latencyTest, time.Second, s.Ops)
	if !m.Latency.OpenLoop {
		t.Error("an open loop was taken for a closed one")
	}
	wantSpan(t, "p50", m.Latency.Quantile(0.5), 500)
}

func TestTooFewSamplesAreNoPercentile(t *testing.T) {
	var s histories.Script
	s.Phase(0, 1e6, "healthy", func() {
		for range 99 {
			s.Acquire(1, 500, 600, history.OK)
		}
	})
	l := measure(t, latencyTest, time.Second, s.Ops).Latency
	wantSpan(t, "p50", l.Quantile(0.5), 100)
	wantReason(t, l.Quantile(0.99), "p99 needs 100 samples, there are 99")
	wantReason(t, l.Quantile(0.999), "p99.9 needs 1000 samples, there are 99")
}

func TestNothingMeasuredIsNeverZero(t *testing.T) {
	var none histories.Script
	none.Phase(0, 1e6, "healthy", func() { none.Acquire(1, 5, 9, history.Fail) })
	other := none
	other.Ops = nil
	other.Phase(0, 1e6, "other", func() {})
	for _, tt := range []struct {
		name, want string
		test       results.Test
		ops        []history.Op
	}{
		{"empty", "the history is empty", latencyTest, nil},
		{"no grant", "nothing was granted in phase healthy", latencyTest, none.Ops},
		{"no phase", "phase healthy is not in the history", latencyTest, other.Ops},
		{"no latency phase", "no phase of this test measures latency", results.Test{Name: "t"}, none.Ops},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := measure(t, tt.test, time.Second, tt.ops).Latency
			for _, s := range []Span{l.Quantile(0.5), l.Quantile(0.99), l.Quantile(0.999), l.Max()} {
				wantReason(t, s, tt.want)
				if s.String() != Dash || s.Micros() != NotAvailable {
					t.Errorf("written as %q and %q", s.String(), s.Micros())
				}
			}
			if _, ok := l.Throughput(); ok {
				t.Error("there is a throughput")
			}
		})
	}
}

// The fault is in force from 1 s to 5 s in each of these.
func TestPhases(t *testing.T) {
	noGrant := NoSpan("no acquire was granted during the fault")
	for _, tt := range []struct {
		name          string
		during, after func(*histories.Script)
		want          Phase
		// latency of what began to wait during the fault
		granted, notGranted int64
	}{
		{
			name: "blocks", granted: 1, notGranted: 2,
			during: func(s *histories.Script) {
				s.Acquire(1, sec-milli, sec+milli, history.Info) // invoked before the fault: not of it
				s.Acquire(2, 2*sec, 3*sec, history.Fail)
				s.Acquire(3, 3*sec, 6*sec, history.OK) // granted after it
				s.Acquire(4, 4*sec, 0, "")
			},
			after: func(s *histories.Script) {
				s.Acquire(5, 5*sec+10*milli, 5*sec+500*milli, history.OK)
				s.Acquire(6, 5*sec+20*milli, 5*sec+210*milli, history.OK) // asked later, granted first
				s.Acquire(7, 7*sec, 7*sec+milli, history.OK)
			},
			want: Phase{
				What: Blocks, Attempts: 3, Fails: 1, Open: 1, Healed: true,
				LongestWait: SpanOf(4 * sec), LongestGap: SpanOf(4*sec + 210*milli), Refusal: SpanOf(sec), Recovery: SpanOf(210*milli - micro),
				Typical: noGrant,
			},
		},
		{
			name: "fails fast", granted: 1, notGranted: 3,
			during: func(s *histories.Script) {
				s.Acquire(1, 2*sec, 2*sec+3*milli, history.Fail)
				s.Acquire(1, 3*sec, 3*sec+4*milli, history.Info)
				s.Acquire(2, 3*sec, 4*sec, history.Fail)
			},
			after: func(s *histories.Script) { s.Acquire(1, 4*sec, 6*sec, history.OK) }, // asked for before the heal
			want: Phase{
				What: FailsFast, Attempts: 4, Fails: 2, Infos: 1, Healed: true,
				LongestWait: SpanOf(2 * sec), LongestGap: SpanOf(5 * sec), Refusal: SpanOf(4 * milli),
				Recovery: NoSpan("nothing was granted after the heal"), Typical: noGrant,
			},
		},
		{
			name: "goes on", granted: 1,
			during: func(s *histories.Script) {
				s.Acquire(1, sec-milli, 2*sec, history.OK) // invoked before: no attempt, but somebody was granted it
				s.Acquire(1, 2*sec, 4500*milli, history.OK)
			},
			after: func(s *histories.Script) { s.Acquire(1, 6*sec, 6*sec+milli, history.OK) },
			want: Phase{
				What: GoesOn, Attempts: 1, Grants: 1, Healed: true,
				LongestWait: SpanOf(2500 * milli), LongestGap: SpanOf(2500 * milli), Refusal: NoSpan("no acquire failed during the fault"),
				Recovery: SpanOf(sec + milli - micro), Typical: SpanOf(2500 * milli),
			},
		},
		{
			name:   "everybody waited already",
			during: func(s *histories.Script) { s.Acquire(1, sec-milli, 6*sec, history.OK) },
			after:  func(s *histories.Script) { s.Acquire(2, 5*sec+milli, 7*sec, history.OK) },
			want: Phase{
				What: Blocks, Healed: true, LongestGap: SpanOf(5 * sec),
				LongestWait: NoSpan("no acquire was invoked during the fault"), Refusal: NoSpan("no acquire failed during the fault"),
				Recovery: SpanOf(2*sec - micro), Typical: noGrant,
			},
		},
		{
			name:   "nobody asked",
			during: func(*histories.Script) {},
			after:  func(*histories.Script) {},
			want: Phase{
				Reason: "no acquire was invoked during the fault", Healed: true, LongestGap: SpanOf(4 * sec),
				LongestWait: NoSpan("no acquire was invoked during the fault"), Refusal: NoSpan("no acquire failed during the fault"),
				Recovery: NoSpan("nothing was granted after the heal"), Typical: noGrant,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s histories.Script
			s.Phase(sec/2, 8*sec, "cut", func() {
				s.Fault(sec, 5*sec, "n1", func() { tt.during(&s) }, func() { tt.after(&s) })
			})
			m := measure(t, results.Test{Name: "t"}, time.Second, s.Ops)
			if len(m.Phases) != 1 {
				t.Fatalf("%d phases", len(m.Phases))
			}
			want := tt.want
			want.Name, want.Begin, want.End, want.From, want.Until = "cut", sec/2, 8*sec, sec, 5*sec
			want.Faults = []InjectedFault{{Name: "partition", Fault: *histories.FaultOn("n1"), From: sec, To: 5 * sec, Healed: true}}
			if l := m.Phases[0].UnderFault; l.Samples != tt.granted || l.NotGranted != tt.notGranted {
				t.Errorf("latency of %d granted and %d others, want %d and %d", l.Samples, l.NotGranted, tt.granted, tt.notGranted)
			}
			m.Phases[0].UnderFault = Latency{}
			samePhase(t, &m.Phases[0], &want)
		})
	}
}

// The gap that is open at the first heal goes on to the next grant, across other faults and phases.
func TestGapAcrossHeals(t *testing.T) {
	var s histories.Script
	s.Phase(0, 10*sec, "elections", func() {
		s.Acquire(1, sec/2, sec/2+milli, history.OK)
		s.Fault(sec, 2*sec, "n1", func() { s.Acquire(2, sec+milli, 0, "") }, func() {})
		s.Fault(3*sec, 4*sec, "n2", func() {}, func() {})
	})
	s.Phase(11*sec, 30*sec, "healed", func() { s.Acquire(3, 12*sec, 22*sec, history.OK) })
	m := measure(t, results.Test{Name: "t"}, time.Second, s.Ops)
	wantSpan(t, "the gap", m.Phases[0].LongestGap, 21*sec)
}

// An open loop asks for what was due during a stall when the stall is over. It is of the fault's latency, with all of its
// wait, and so is what nobody came to ask for.
func TestOpenLoopThroughAStall(t *testing.T) {
	var s histories.Script
	due := func(at, asked int64) {
		s.Acquire(1, asked, asked+milli, history.OK)
		s.Ops[len(s.Ops)-2].Intended = at
		s.Release(1, asked+2*milli)
	}
	s.Phase(0, 5*sec, "stall", func() {
		due(sec/10, sec/10)
		due(sec/10+sec, sec/10+sec)
		s.Fault(2*sec, 4*sec, "n1", func() {}, func() {})
	})
	s.Phase(6*sec, 9*sec, "after", func() {
		due(sec/10+2*sec, 6*sec)
		due(sec/10+3*sec, 6*sec+10*milli)
		due(sec/10+4*sec, 6*sec+20*milli)
	})
	m := measure(t, results.Test{Name: "t"}, time.Second, s.Ops)
	l := m.Phases[0].UnderFault
	if l.Samples != 2 || l.NotGranted != 0 || !l.OpenLoop {
		t.Errorf("%+v", l)
	}
	wantSpan(t, "the longest wait", l.Max(), 6*sec+milli-sec/10-2*sec)
	s.Ops = slices.DeleteFunc(s.Ops, func(op history.Op) bool { return op.Time >= 6*sec && op.Process >= 0 })
	m = measure(t, results.Test{Name: "t"}, time.Second, s.Ops)
	if l := m.Phases[0].UnderFault; l.Samples != 0 || l.NotGranted != 2 {
		t.Errorf("nobody asked: %d granted and %d not", l.Samples, l.NotGranted)
	}
}

func TestRecoveryEndsAtTheNextFault(t *testing.T) {
	var s histories.Script
	s.Phase(0, 3*sec, "first", func() {
		s.Fault(sec, 2*sec, "n1", func() {}, func() {})
	})
	s.Phase(3*sec, 9*sec, "second", func() {
		s.Fault(4*sec, 5*sec, "n2", func() { s.Acquire(1, 3*sec, 4500*milli, history.OK) }, func() { s.Acquire(1, 6*sec, 7*sec, history.OK) })
	})
	m := measure(t, results.Test{Name: "t"}, time.Second, s.Ops)
	wantReason(t, m.Phases[0].Recovery, "nothing was granted between the heal and the next fault")
	wantSpan(t, "recovery", m.Phases[1].Recovery, 2*sec-micro)
}

func TestAHistoryThatStopsWithinAFault(t *testing.T) {
	var s histories.Script
	s.Nemesis(0, history.Invoke, history.Phase, "cut")
	s.Nemesis(sec, history.Invoke, "partition", "n1")
	s.Nemesis(sec, history.OK, "partition", "n1")
	s.Acquire(1, 2*sec, 4*sec, history.Fail)
	m := measure(t, results.Test{Name: "t"}, time.Second, s.Ops)
	p := &m.Phases[0]
	if !p.Unended || p.Healed || p.End != 4*sec || p.What != Blocks {
		t.Errorf("%+v", p)
	}
	wantReason(t, p.Recovery, "the fault was not healed within the phase")
}

func TestAFaultThatCouldNotStrike(t *testing.T) {
	var s histories.Script
	s.Phase(0, 4*sec, "cut", func() {
		s.Nemesis(sec, history.Invoke, "partition", "n1")
		s.Nemesis(sec, history.Info, "partition", "n1")
		s.Ops[len(s.Ops)-1].Error = "no such link"
		s.Acquire(1, 2*sec, 3*sec, history.OK)
	})
	p := measure(t, results.Test{Name: "t"}, time.Second, s.Ops).Phases[0]
	if p.What != "" || p.Reason != "the fault could not be injected: no such link" {
		t.Errorf("%q, %q", p.What, p.Reason)
	}
}

func measure(t *testing.T, test results.Test, timeout time.Duration, ops []history.Op) Measurement {
	t.Helper()
	m, err := Test(&results.Run{Workload: results.Workload{AcquireTimeout: timeout}, Plan: []results.PlannedPhase{{Name: "healthy", Latency: true}}}, &test, Ops(ops), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func samePhase(t *testing.T, got, want *Phase) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func wantSpan(t *testing.T, name string, got Span, want int64) {
	t.Helper()
	if !got.Measured || int64(got.D) != want {
		t.Errorf("%s is %+v, want %d ns", name, got, want)
	}
}

func wantReason(t *testing.T, got Span, want string) {
	t.Helper()
	if got.Measured || got.Reason != want {
		t.Errorf("%+v, want unmeasured: %s", got, want)
	}
}

const (
	micro = int64(time.Microsecond)
	milli = int64(time.Millisecond)
	sec   = int64(time.Second)
)

// tables measures all that tables show of a history that must be well-formed.
func tables(t *testing.T, ops []history.Op, workers int) Measurement {
	t.Helper()
	histories.Holds(t, ops)
	run := results.Run{
		Workload: results.Workload{Clients: 1, Workers: workers},
		Tables:   []results.Table{results.Contention, results.Deadlocks, results.Leadership, results.Clocks},
		Plan:     []results.PlannedPhase{{Name: "moved", Faults: []results.PlannedFault{{Name: "clock-jump", Traits: []string{movesClocks}}}}},
	}
	m, err := Test(&run, &results.Test{}, Ops(ops), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
