package faults

import (
	"testing"
	"time"
)

func TestChop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.strike(Chop{}, Both, Params{Size: 3, Gap: time.Hour})
	send(t, caller, "0123456789")
	receive(t, callee, "012")
	silent(t, callee)
	heal()
	receive(t, callee, "3456789")

	const gap = 10 * time.Millisecond
	heal = r.strike(Chop{}, In, Params{Size: 4, Gap: gap})
	began := time.Now()
	send(t, callee, "0123456789")
	receive(t, caller, "0123456789")
	if took := time.Since(began); took < 2*gap {
		t.Errorf("3 pieces took %v, with 2 gaps of %v", took, gap)
	}
	heal()
	r.works(caller, callee)
}

func TestChopWithoutGap(t *testing.T) {
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.strike(Chop{}, Both, Params{Size: 1})
	r.works(caller, callee)
	heal()
	r.works(caller, callee)
}
