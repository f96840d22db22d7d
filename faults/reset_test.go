package faults

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

// refused fails the test unless a new connection is reset. The reset may come before dial returns.
func (r *rig) refused() {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.linked)
	if err == nil {
		defer conn.Close()
		tcptest.WasReset(r.t, conn)
	} else if !errors.Is(err, syscall.ECONNRESET) {
		r.t.Fatal(err)
	}
	r.nobody()
}

func TestResetBothWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Reset{}, Both, Settings{})
	tcptest.WasReset(t, caller)
	tcptest.WasReset(t, callee)
	r.refused()
	heal()
	r.works(r.pair())
}

func TestResetOneWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	heal := r.inject(Reset{}, Out, Settings{}) // the server is told
	tcptest.WasReset(t, callee)
	tcptest.Send(t, caller, "into the void")
	tcptest.Silent(t, caller)
	young := tcptest.Dial(t, r.linked)
	tcptest.Silent(t, young)
	r.nobody()
	heal()
	tcptest.WasReset(t, caller)
	tcptest.WasReset(t, young)

	caller, callee = r.pair()
	heal = r.inject(Reset{}, In, Settings{}) // the client is told
	tcptest.WasReset(t, caller)
	tcptest.Send(t, callee, "into the void")
	tcptest.Silent(t, callee)
	r.refused()
	heal()
	tcptest.WasReset(t, callee)
	r.works(r.pair())
}
