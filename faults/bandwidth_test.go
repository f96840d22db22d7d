package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestBandwidth(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	caller2, callee2 := r.pair()
	text := strings.Repeat("0123456789abcdef", 1<<10) // 16 KiB
	heal := r.inject(Bandwidth{}, Out, Settings{"rate": int64(64)})
	began := time.Now()
	tcptest.Send(t, caller, text)
	tcptest.Send(t, caller2, text) // on the same line
	tcptest.Send(t, callee, text)  // the other way it is free
	tcptest.Receive(t, caller, text)
	tcptest.Receive(t, callee, text)
	tcptest.Receive(t, callee2, text)
	if took := time.Since(began); took < 500*time.Millisecond {
		t.Errorf("32 KiB took %v at 64 KiB/s", took)
	}
	heal()
	r.works(caller, callee)
}

func TestBandwidthHealsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Bandwidth{}, Both, Settings{"rate": int64(1)})
	text := strings.Repeat("0123456789abcdef", 16<<10) // 256 KiB: more than 4 minutes
	tcptest.Send(t, caller, text)
	tcptest.Receive(t, callee, text[:16])
	heal()
	tcptest.Receive(t, callee, text[16:])
	r.works(caller, callee)
}

// What a connection that was reset had under way does not keep the line busy.
func TestBandwidthIsNotForTheDead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Bandwidth{}, Out, Settings{"rate": int64(1)})
	tcptest.Send(t, caller, strings.Repeat("x", 64<<10)) // a minute's worth
	tcptest.Receive(t, callee, "x")
	r.inject(Reset{}, Both, Settings{})()
	r.works(r.pair())
	heal()
}
