package faults

import (
	"net"
	"strings"
	"testing"
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
			heal := r.strike(Blackhole{}, test.direction, Params{})
			from, to := net.Conn(caller), net.Conn(callee)
			if !test.callerHit {
				from, to = to, from
			}
			send(t, from, "lost")
			silent(t, to)
			if test.direction != Both {
				send(t, to, "free")
				receive(t, from, "free")
			}
			waits := dial(t, r.linked)
			send(t, waits, "waits")
			r.nobody()
			heal()
			wasReset(t, caller)
			wasReset(t, callee)
			receive(t, accepted(t, r.conns), "waits")
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
	receive(t, slow, "x")
	heal := r.strike(Blackhole{}, Both, Params{})
	if err := <-wrote; err != nil { // all of it, into the hole
		t.Fatal(err)
	}
	if err := caller.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	silent(t, callee)
	heal()
	wasReset(t, callee)
	wasReset(t, caller)
	wasReset(t, busy)
	r.works(r.pair())
}

// A connection of which the one end has ended and the other end's end is swallowed does not look ended to anybody.
func TestBlackholeSwallowsTheLastEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	if err := callee.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ended(t, caller)
	heal := r.strike(Blackhole{}, Out, Params{})
	if err := caller.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	silent(t, callee)
	heal()
	wasReset(t, callee)
}

// Of two black holes the first to be healed changes nothing, and while a partition lasts not even a reset gets through.
func TestBlackholesAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	caller, callee := r.pair()
	first := r.strike(Blackhole{}, Both, Params{})
	second := r.strike(Blackhole{}, Out, Params{})
	send(t, caller, "lost")
	silent(t, callee)
	first()
	first()
	silent(t, callee)
	silent(t, caller) // it could hear of a reset
	cut := r.strike(Partition{}, Both, Params{})
	second()
	silent(t, callee)
	silent(t, caller)
	cut()
	wasReset(t, callee)
	wasReset(t, caller)
	r.works(r.pair())
}
