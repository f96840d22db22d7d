package faults

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func (r *rig) roundTrip(caller, callee interface {
	Write([]byte) (int, error)
	Read([]byte) (int, error)
}) time.Duration {
	r.t.Helper()
	var b [1]byte
	began := time.Now()
	for _, step := range []func([]byte) (int, error){caller.Write, callee.Read, callee.Write, caller.Read} {
		if _, err := step(b[:]); err != nil {
			r.t.Fatal(err)
		}
	}
	return time.Since(began)
}

func TestLatency(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		direction Direction
		least     time.Duration
	}{{Both, 60 * time.Millisecond}, {In, 30 * time.Millisecond}, {Out, 30 * time.Millisecond}} {
		r := newRig(t)
		caller, callee := r.pair()
		heal := r.inject(Latency{}, test.direction, Settings{"delay": 30 * time.Millisecond})
		if got := r.roundTrip(caller, callee); got < test.least {
			t.Errorf("%s: a round trip takes %v, want at least %v", test.direction, got, test.least)
		}
		newCaller, newCallee := r.pair()
		if got := r.roundTrip(newCaller, newCallee); got < test.least {
			t.Errorf("%s: on a new connection a round trip takes %v, want at least %v", test.direction, got, test.least)
		}
		heal()
		fast(t, func() time.Duration { return r.roundTrip(caller, callee) }, test.least)
	}
}

// fast fails the test unless, sooner or later, f takes less than limit: on a busy machine any single call may take
// long.
func fast(t *testing.T, f func() time.Duration, limit time.Duration) {
	t.Helper()
	got := f()
	for deadline := time.Now().Add(20 * time.Second); got >= limit; got = min(got, f()) {
		if time.Now().After(deadline) {
			t.Fatalf("it never takes less than %v, want %v", got, limit)
		}
	}
}

// Timers that count in milliseconds would take 2 ms for the two directions.
func TestLatencyInMicroseconds(t *testing.T) {
	r := newRig(t)
	caller, callee := r.pair()
	defer r.inject(Latency{}, Both, Settings{"delay": 200 * time.Microsecond})()
	fast(t, func() time.Duration {
		took := r.roundTrip(caller, callee)
		if took < 400*time.Microsecond {
			t.Fatalf("a round trip takes %v, want at least 400µs", took)
		}
		return took
	}, 1500*time.Microsecond)
}

// The line is long, not narrow: what is sent together arrives together, and in order.
func TestLatencyKeepsOrderAndRate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	defer r.inject(Latency{}, Out, Settings{"delay": 100 * time.Millisecond, "jitter": 100 * time.Millisecond})()
	var text strings.Builder
	began := time.Now()
	for i := range 100 {
		chunk := string(rune('A'+i%26)) + "chunk"
		text.WriteString(chunk)
		tcptest.Send(t, caller, chunk)
		time.Sleep(time.Millisecond) // a chunk of its own
	}
	tcptest.Receive(t, callee, text.String())
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("100 chunks took %v: each of them waited for the one before", took)
	}
}

func TestLatencyHealsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	first := r.inject(Latency{}, Out, Settings{"delay": time.Hour})
	second := r.inject(Latency{}, Both, Settings{"delay": time.Hour})
	tcptest.Send(t, caller, "late")
	if err := caller.CloseWrite(); err != nil { // its end is late, too
		t.Fatal(err)
	}
	tcptest.Silent(t, callee)
	first()
	tcptest.Silent(t, callee)
	second()
	tcptest.Receive(t, callee, "late")
	tcptest.Ended(t, callee)
}

func TestJitterIsTheSeeds(t *testing.T) {
	const delay, jitter = 5 * time.Millisecond, 300 * time.Microsecond
	draw := func(seed uint64) (all []time.Duration) {
		d := drawn(delay, jitter, rand.New(rand.NewPCG(seed, 0)))
		for range 100 {
			all = append(all, d())
		}
		return all
	}
	one, again, other := draw(1), draw(1), draw(2)
	same, distinct := true, map[time.Duration]bool{}
	for i, d := range one {
		if d < delay || d > delay+jitter {
			t.Errorf("a delay of %v, want between %v and %v", d, delay, delay+jitter)
		}
		if d != again[i] {
			t.Errorf("the same seed draws %v and %v", d, again[i])
		}
		same, distinct[d] = same && d == other[i], true
	}
	if same || len(distinct) < 50 {
		t.Errorf("100 draws have %d values, another seed the same: %v", len(distinct), same)
	}
}
