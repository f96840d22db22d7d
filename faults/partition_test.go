package faults

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestDeadPeer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Partition{}, Both, Settings{"dead-peer": 50 * time.Millisecond})
	young := tcptest.Dial(t, r.linked)
	tcptest.Send(t, young, "young")
	tcptest.WasReset(t, callee)
	tcptest.Send(t, caller, "into the void")
	tcptest.Silent(t, caller)
	r.nobody()
	heal()
	heal()
	tcptest.WasReset(t, caller)
	tcptest.Receive(t, tcptest.Accepted(t, r.conns), "young") // it was no connection yet

	// It is over with the heal, and later cuts are as ever.
	caller, callee = r.pair()
	r.inject(Partition{}, Both, Settings{"dead-peer": 50 * time.Millisecond})()
	heal = r.inject(Partition{}, Both, Settings{})
	tcptest.Send(t, caller, "late")
	time.Sleep(100 * time.Millisecond)
	tcptest.Silent(t, callee)
	heal()
	tcptest.Receive(t, callee, "late")
	r.works(caller, callee)

	// A caller that can hear the server sees that it has dropped the connection.
	heal = r.inject(Partition{}, Out, Settings{"dead-peer": 50 * time.Millisecond})
	tcptest.WasReset(t, callee)
	tcptest.WasReset(t, caller)
	heal()
	r.works(r.pair())
}
