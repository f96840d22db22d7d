package faults

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestSlowClose(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, test := range []struct {
		delay time.Duration
		heal  bool
	}{{100 * time.Millisecond, false}, {time.Hour, true}} {
		caller, callee := r.pair()
		heal := r.inject(SlowClose{}, Out, Settings{"delay": test.delay})
		tcptest.Send(t, caller, "last words")
		began := time.Now()
		must.Succeed(t, caller.CloseWrite())
		tcptest.Receive(t, callee, "last words")
		if test.heal {
			tcptest.Silent(t, callee)
			heal()
		}
		tcptest.Ended(t, callee)
		if took := time.Since(began); !test.heal && took < test.delay {
			t.Errorf("the end came after %v, want %v", took, test.delay)
		}
		tcptest.Send(t, callee, "answer")
		tcptest.Receive(t, caller, "answer")
		heal()
	}
	// The other way it comes in time.
	caller, callee := r.pair()
	heal := r.inject(SlowClose{}, In, Settings{"delay": time.Hour})
	must.Succeed(t, caller.CloseWrite())
	tcptest.Ended(t, callee)
	heal()
}
