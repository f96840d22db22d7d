package faults

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

// refused fails the test unless a new connection is reset. The reset may come before dial returns.
func (r *rig) refused() {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.linked)
	if err == nil {
		defer conn.Close()
		wasReset(r.t, conn)
	} else if !errors.Is(err, syscall.ECONNRESET) {
		r.t.Fatal(err)
	}
	r.nobody()
}

func TestResetBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.strike(Reset{}, Both, Params{})
	wasReset(t, caller)
	wasReset(t, callee)
	r.refused()
	heal()
	r.works(r.pair())
}

func TestResetOneWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.strike(Reset{}, Out, Params{}) // the server is told
	wasReset(t, callee)
	send(t, caller, "into the void")
	silent(t, caller)
	young := dial(t, r.linked)
	silent(t, young)
	r.nobody()
	heal()
	wasReset(t, caller)
	wasReset(t, young)

	caller, callee = r.pair()
	heal = r.strike(Reset{}, In, Params{}) // the client is told
	wasReset(t, caller)
	send(t, callee, "into the void")
	silent(t, callee)
	r.refused()
	heal()
	wasReset(t, callee)
	r.works(r.pair())
}
