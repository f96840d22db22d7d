package faults

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestChop(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Chop{}, Both, Settings{"size": int64(3), "gap": time.Hour})
	tcptest.Send(t, caller, "0123456789")
	tcptest.Receive(t, callee, "012")
	tcptest.Silent(t, callee)
	heal()
	tcptest.Receive(t, callee, "3456789")

	const gap = 10 * time.Millisecond
	heal = r.inject(Chop{}, In, Settings{"size": int64(4), "gap": gap})
	began := time.Now()
	tcptest.Send(t, callee, "0123456789")
	tcptest.Receive(t, caller, "0123456789")
	if took := time.Since(began); took < 2*gap {
		t.Errorf("3 pieces took %v, with 2 gaps of %v", took, gap)
	}
	heal()
	r.works(caller, callee)
}

func TestChopWithoutGap(t *testing.T) {
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Chop{}, Both, Settings{"size": int64(1)})
	r.works(caller, callee)
	heal()
	r.works(caller, callee)
}
