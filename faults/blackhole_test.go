package faults

import (
	"net"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

func TestBlackhole(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		direction Direction
		callerHit bool // what the caller sends is swallowed
	}{{Both, true}, {Out, true}, {In, false}} {
		t.Run(string(test.direction), func(t *testing.T) {
			r := newRig(t)
			caller, callee := r.pair()
			idleCaller, idleCallee := r.pair()
			heal := r.inject(Blackhole{}, test.direction, Settings{})
			from, to := net.Conn(caller), net.Conn(callee)
			if !test.callerHit {
				from, to = to, from
			}
			tcptest.Send(t, from, "lost")
			tcptest.Silent(t, to)
			if test.direction != Both {
				tcptest.Send(t, to, "free")
				tcptest.Receive(t, from, "free")
			}
			waits := tcptest.Dial(t, r.linked)
			tcptest.Send(t, waits, "waits")
			r.nobody()
			heal()
			tcptest.WasReset(t, caller)
			tcptest.WasReset(t, callee)
			tcptest.Receive(t, tcptest.Accepted(t, r.conns), "waits")
			r.works(idleCaller, idleCallee)
			r.works(r.pair())
		})
	}
}

// Neither the end of a stream nor the rest of a write that was under way gets through.
func TestBlackholeSwallowsTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	busy, slow := r.pair()
	wrote := make(chan error, 1)
	go func() {
		_, err := busy.Write([]byte(strings.Repeat("x", 64<<20))) // more than all buffers take
		wrote <- err
	}()
	tcptest.Receive(t, slow, "x")
	heal := r.inject(Blackhole{}, Both, Settings{})
	if err := <-wrote; err != nil { // all of it, into the hole
		t.Fatal(err)
	}
	must.Succeed(t, caller.CloseWrite())
	tcptest.Silent(t, callee)
	heal()
	tcptest.WasReset(t, callee)
	tcptest.WasReset(t, caller)
	tcptest.WasReset(t, busy)
	r.works(r.pair())
}

// A connection of which the one end has ended and the other end's end is swallowed does not look ended to anybody.
func TestBlackholeSwallowsTheLastEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	must.Succeed(t, callee.CloseWrite())
	tcptest.Ended(t, caller)
	heal := r.inject(Blackhole{}, Out, Settings{})
	must.Succeed(t, caller.CloseWrite())
	tcptest.Silent(t, callee)
	heal()
	tcptest.WasReset(t, callee)
}

// Of two black holes the first to be healed changes nothing, and while a partition lasts not even a reset gets through.
func TestBlackholesAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	first := r.inject(Blackhole{}, Both, Settings{})
	second := r.inject(Blackhole{}, Out, Settings{})
	tcptest.Send(t, caller, "lost")
	tcptest.Silent(t, callee)
	first()
	first()
	tcptest.Silent(t, callee)
	tcptest.Silent(t, caller) // it could hear of a reset
	cut := r.inject(Partition{}, Both, Settings{})
	second()
	tcptest.Silent(t, callee)
	tcptest.Silent(t, caller)
	cut()
	tcptest.WasReset(t, callee)
	tcptest.WasReset(t, caller)
	r.works(r.pair())
}
