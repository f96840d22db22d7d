package faults

import (
	"strings"
	"testing"
	"time"
)

func TestBandwidth(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	caller2, callee2 := r.pair()
	text := strings.Repeat("0123456789abcdef", 1<<10) // 16 KiB
	heal := r.strike(Bandwidth{}, Out, Params{Rate: 64})
	began := time.Now()
	send(t, caller, text)
	send(t, caller2, text) // on the same line
	send(t, callee, text)  // the other way it is free
	receive(t, caller, text)
	receive(t, callee, text)
	receive(t, callee2, text)
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
	heal := r.strike(Bandwidth{}, Both, Params{Rate: 1})
	text := strings.Repeat("0123456789abcdef", 16<<10) // 256 KiB: more than 4 minutes
	send(t, caller, text)
	receive(t, callee, text[:16])
	heal()
	receive(t, callee, text[16:])
	r.works(caller, callee)
}

// What a connection that was reset had under way does not keep the line busy.
func TestBandwidthIsNotForTheDead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.strike(Bandwidth{}, Out, Params{Rate: 1})
	send(t, caller, strings.Repeat("x", 64<<10)) // a minute's worth
	receive(t, callee, "x")
	r.strike(Reset{}, Both, Params{})()
	r.works(r.pair())
	heal()
}
