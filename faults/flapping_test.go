package faults

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestFlapping(t *testing.T) {
	r := newRig(t)
	caller, callee := r.pair()
	before := runtime.NumGoroutine()
	heal := r.inject(Flapping{}, Both, Settings{"up": 10 * time.Millisecond, "down": 10 * time.Millisecond})
	cut := func() bool { return len(r.links.Left()) > 0 }
	if !cut() {
		t.Error("it does not begin with a cut")
	}
	turns, was := 0, true
	for deadline := time.Now().Add(20 * time.Second); turns < 6; time.Sleep(time.Millisecond) {
		if is := cut(); is != was {
			turns, was = turns+1, is
			r.works(caller, callee)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d turns were seen", turns)
		}
	}
	heal()
	heal()
	if cut() {
		t.Error("the flow is cut after the heal")
	}
	tcptest.NoGoroutines(t, before)
	// A heal while it is cut for long, and one while it works for long.
	r.inject(Flapping{}, In, Settings{"up": time.Hour, "down": time.Hour})()
	heal = r.inject(Flapping{}, In, Settings{"up": time.Hour, "down": time.Nanosecond})
	r.works(caller, callee)
	heal()
	tcptest.NoGoroutines(t, before)
	r.works(caller, callee)
}

func TestAround(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		d := around(time.Second, random)
		least, most = min(least, d), max(most, d)
	}
	if least < time.Second/2 || least > 6*time.Second/10 || most > 3*time.Second/2 || most < 14*time.Second/10 {
		t.Errorf("1000 draws are between %v and %v", least, most)
	}
}
