package report

import (
	"reflect"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

var latencyTest = results.Test{Name: "t", Phases: []results.Phase{{Name: "healthy", Latency: true}, {Name: "cut"}}}

func TestLatencyIsExact(t *testing.T) {
	var s script
	s.acquire(9, 0, 999, history.OK) // before the phase
	s.phase(1000, 1000+1e9, "healthy", func() {
		for i := range int64(1000) {
			s.acquire(1, 1000+i*1e6, 1000+i*1e6+1000+i, history.OK) // 1000 … 1999 ns
		}
		s.acquire(2, 5000, 9000, history.Fail)
		s.acquire(3, 5000, 9000, history.Info)
		s.acquire(4, 5000, 0, "")
	})
	s.acquire(9, 3e9, 4e9, history.OK) // after it
	m := measure(t, latencyTest, time.Second, s.ops)
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
	var s script
	s.phase(0, 1e6, "healthy", func() {
		for range 2 {
			s.acquire(1, 500, 600, history.OK)
			s.ops[len(s.ops)-2].Intended = 100
		}
	})
	m := measure(t, latencyTest, time.Second, s.ops)
	if !m.Latency.OpenLoop {
		t.Error("an open loop was taken for a closed one")
	}
	wantSpan(t, "p50", m.Latency.Quantile(0.5), 500)
}

func TestTooFewSamplesAreNoPercentile(t *testing.T) {
	var s script
	s.phase(0, 1e6, "healthy", func() {
		for range 99 {
			s.acquire(1, 500, 600, history.OK)
		}
	})
	l := measure(t, latencyTest, time.Second, s.ops).Latency
	wantSpan(t, "p50", l.Quantile(0.5), 100)
	wantReason(t, l.Quantile(0.99), "p99 needs 100 samples, there are 99")
	wantReason(t, l.Quantile(0.999), "p99.9 needs 1000 samples, there are 99")
}

func TestNothingMeasuredIsNeverZero(t *testing.T) {
	var none script
	none.phase(0, 1e6, "healthy", func() { none.acquire(1, 5, 9, history.Fail) })
	other := none
	other.ops = nil
	other.phase(0, 1e6, "other", func() {})
	for _, tt := range []struct {
		name, want string
		test       results.Test
		ops        []history.Op
	}{
		{"empty", "the history is empty", latencyTest, nil},
		{"no grant", "nothing was granted in phase healthy", latencyTest, none.ops},
		{"no phase", "phase healthy is not in the history", latencyTest, other.ops},
		{"no latency phase", "no phase of this test measures latency", results.Test{Name: "t"}, none.ops},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := measure(t, tt.test, time.Second, tt.ops).Latency
			for _, s := range []Span{l.Quantile(0.5), l.Quantile(0.99), l.Quantile(0.999), l.Max()} {
				wantReason(t, s, tt.want)
				if s.String() != dash || s.Micros() != notAvailable {
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
	noGrant := unmeasured("no acquire was granted during the fault")
	for _, tt := range []struct {
		name          string
		during, after func(*script)
		want          PhaseMeasure
	}{
		{
			name: "blocks",
			during: func(s *script) {
				s.acquire(1, sec-milli, sec+milli, history.Info) // invoked before the fault: not of it
				s.acquire(2, 2*sec, 3*sec, history.Fail)
				s.acquire(3, 3*sec, 6*sec, history.OK) // granted after it
				s.acquire(4, 4*sec, 0, "")
			},
			after: func(s *script) {
				s.acquire(5, 5*sec+10*milli, 5*sec+500*milli, history.OK)
				s.acquire(6, 5*sec+20*milli, 5*sec+210*milli, history.OK) // asked later, granted first
				s.acquire(7, 7*sec, 7*sec+milli, history.OK)
			},
			want: PhaseMeasure{
				What: Blocks, Attempts: 3, Fails: 1, Open: 1, Healed: true,
				LongestWait: measured(4 * sec), LongestGap: measured(4 * sec), Refusal: measured(sec), Recovery: measured(210*milli - micro),
				Typical: noGrant,
			},
		},
		{
			name: "fails fast",
			during: func(s *script) {
				s.acquire(1, 2*sec, 2*sec+3*milli, history.Fail)
				s.acquire(1, 3*sec, 3*sec+4*milli, history.Info)
				s.acquire(2, 3*sec, 4*sec, history.Fail)
			},
			after: func(s *script) { s.acquire(1, 4*sec, 6*sec, history.OK) }, // asked for before the heal
			want: PhaseMeasure{
				What: FailsFast, Attempts: 4, Fails: 2, Infos: 1, Healed: true,
				LongestWait: measured(2 * sec), LongestGap: measured(4 * sec), Refusal: measured(4 * milli),
				Recovery: unmeasured("nothing was granted after the heal"), Typical: noGrant,
			},
		},
		{
			name: "goes on",
			during: func(s *script) {
				s.acquire(1, sec-milli, 2*sec, history.OK) // invoked before: no attempt, but somebody was granted it
				s.acquire(1, 2*sec, 4500*milli, history.OK)
			},
			after: func(s *script) { s.acquire(1, 6*sec, 6*sec+milli, history.OK) },
			want: PhaseMeasure{
				What: GoesOn, Attempts: 1, Grants: 1, Healed: true,
				LongestWait: measured(2500 * milli), LongestGap: measured(2500 * milli), Refusal: unmeasured("no acquire failed during the fault"),
				Recovery: measured(sec + milli - micro), Typical: measured(2500 * milli),
			},
		},
		{
			name:   "nobody asked",
			during: func(*script) {},
			after:  func(*script) {},
			want: PhaseMeasure{
				Reason: "no acquire was invoked during the fault", Healed: true, LongestGap: measured(4 * sec),
				LongestWait: unmeasured("no acquire was invoked during the fault"), Refusal: unmeasured("no acquire failed during the fault"),
				Recovery: unmeasured("nothing was granted after the heal"), Typical: noGrant,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s script
			s.phase(sec/2, 8*sec, "cut", func() {
				s.fault(sec, 5*sec, "n1", func() { tt.during(&s) }, func() { tt.after(&s) })
			})
			m := measure(t, results.Test{Name: "t"}, time.Second, s.ops)
			if len(m.Phases) != 1 {
				t.Fatalf("%d phases", len(m.Phases))
			}
			want := tt.want
			want.Name, want.Begin, want.End, want.From, want.Until = "cut", sec/2, 8*sec, sec, 5*sec
			want.Faults, want.healed = []string{"partition: n1"}, 5*sec+micro
			samePhase(t, &m.Phases[0], &want)
		})
	}
}

func TestRecoveryEndsAtTheNextFault(t *testing.T) {
	var s script
	s.phase(0, 3*sec, "first", func() {
		s.fault(sec, 2*sec, "n1", func() {}, func() {})
	})
	s.phase(3*sec, 9*sec, "second", func() {
		s.fault(4*sec, 5*sec, "n2", func() { s.acquire(1, 3*sec, 4500*milli, history.OK) }, func() { s.acquire(1, 6*sec, 7*sec, history.OK) })
	})
	m := measure(t, results.Test{Name: "t"}, time.Second, s.ops)
	wantReason(t, m.Phases[0].Recovery, "nothing was granted between the heal and the next fault")
	wantSpan(t, "recovery", m.Phases[1].Recovery, 2*sec-micro)
}

func TestAHistoryThatStopsWithinAFault(t *testing.T) {
	var s script
	s.nemesis(0, history.Invoke, history.Phase, "cut")
	s.nemesis(sec, history.Invoke, "partition", "n1")
	s.nemesis(sec, history.OK, "partition", "n1")
	s.acquire(1, 2*sec, 4*sec, history.Fail)
	m := measure(t, results.Test{Name: "t"}, time.Second, s.ops)
	p := &m.Phases[0]
	if !p.Unended || p.Healed || p.End != 4*sec || p.What != Blocks {
		t.Errorf("%+v", p)
	}
	wantReason(t, p.Recovery, "the fault was not healed within the phase")
}

func TestAFaultThatCouldNotStrike(t *testing.T) {
	var s script
	s.phase(0, 4*sec, "cut", func() {
		s.nemesis(sec, history.Invoke, "partition", "n1")
		s.nemesis(sec, history.Info, "partition", "n1")
		s.ops[len(s.ops)-1].Error = "no such link"
		s.acquire(1, 2*sec, 3*sec, history.OK)
	})
	p := measure(t, results.Test{Name: "t"}, time.Second, s.ops).Phases[0]
	if p.What != "" || p.Reason != "the fault could not be injected: no such link" {
		t.Errorf("%q, %q", p.What, p.Reason)
	}
}

func measure(t *testing.T, test results.Test, timeout time.Duration, ops []history.Op) Measurement {
	t.Helper()
	m, err := Measure(&results.Run{Settings: map[string]string{"acquire-timeout": timeout.String()}}, &test, ops, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func samePhase(t *testing.T, got, want *PhaseMeasure) {
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
