package faults

import (
	"io"
	"net"
	"testing"
	"time"
)

// ended fails the test unless the next thing that comes is the end of the stream.
func ended(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read %d bytes, %v; want the end", n, err)
	}
}

func TestSlowClose(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, test := range []struct {
		delay time.Duration
		heal  bool
	}{{100 * time.Millisecond, false}, {time.Hour, true}} {
		caller, callee := r.pair()
		heal := r.strike(SlowClose{}, Out, Params{Delay: test.delay})
		send(t, caller, "last words")
		began := time.Now()
		if err := caller.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		receive(t, callee, "last words")
		if test.heal {
			silent(t, callee)
			heal()
		}
		ended(t, callee)
		if took := time.Since(began); !test.heal && took < test.delay {
			t.Errorf("the end came after %v, want %v", took, test.delay)
		}
		send(t, callee, "answer")
		receive(t, caller, "answer")
		heal()
	}
	// The other way it comes in time.
	caller, callee := r.pair()
	heal := r.strike(SlowClose{}, In, Params{Delay: time.Hour})
	if err := caller.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	ended(t, callee)
	heal()
}
