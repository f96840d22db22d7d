package faults

import (
	"testing"
	"time"
)

func TestDeadPeer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.strike(Partition{}, Both, Params{DeadPeer: 50 * time.Millisecond})
	young := dial(t, r.linked)
	send(t, young, "young")
	wasReset(t, callee)
	send(t, caller, "into the void")
	silent(t, caller)
	r.nobody()
	heal()
	heal()
	wasReset(t, caller)
	receive(t, accepted(t, r.conns), "young") // it was no connection yet

	// It is over with the heal, and later cuts are as ever.
	caller, callee = r.pair()
	r.strike(Partition{}, Both, Params{DeadPeer: 50 * time.Millisecond})()
	heal = r.strike(Partition{}, Both, Params{})
	send(t, caller, "late")
	time.Sleep(100 * time.Millisecond)
	silent(t, callee)
	heal()
	receive(t, callee, "late")
	r.works(caller, callee)

	// A caller that can hear the server sees that it has dropped the connection.
	heal = r.strike(Partition{}, Out, Params{DeadPeer: 50 * time.Millisecond})
	wasReset(t, callee)
	wasReset(t, caller)
	heal()
	r.works(r.pair())
}
