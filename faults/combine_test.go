package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

// traffic is one direction of a connection under test: what is sent is a known text, and what came is collected.
type traffic struct {
	from, to *net.TCPConn
	sent     int
	// A socket tells of a reset once, by a write or by a read: told says that a write of the sender failed, and reset
	// that one of the receiver did, which sends the other way.
	told, reset *bool
	got         bytes.Buffer
	done        chan error
}

// text is what every stream sends, from its beginning.
var text = func() []byte {
	b, random := make([]byte, 1<<18), rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}()

func newTraffic(from, to *net.TCPConn, told, reset *bool) *traffic {
	s := &traffic{from: from, to: to, told: told, reset: reset, done: make(chan error, 1)}
	go func() {
		_, err := io.Copy(&s.got, to)
		s.done <- err
	}()
	return s
}

func (s *traffic) send(n int) {
	if !*s.told && s.sent < 1<<17 { // less than the buffers take, or the test would wait for a heal
		_, err := s.from.Write(text[s.sent : s.sent+n])
		*s.told = err != nil
		s.sent += n
	}
}

// check ends the stream. What came must be what was sent: all of it or, if the connection may have been reset, its
// beginning.
func (s *traffic) check(t *rapid.T, name string, mayReset, mustReset bool) {
	_ = s.from.CloseWrite() // a connection that was reset refuses
	select {
	case err := <-s.done:
		reset := *s.reset || errors.Is(err, syscall.ECONNRESET)
		if err != nil && !reset || reset && !mayReset || !reset && mustReset {
			t.Fatalf("%s ended with %v; may be reset: %v, must be: %v", name, err, mayReset, mustReset)
		}
		if got := s.got.Bytes(); !bytes.HasPrefix(text, got) || !reset && len(got) != s.sent {
			t.Fatalf("%s: %d bytes came of %d, the right ones: %v; reset: %v", name, len(got), s.sent, bytes.HasPrefix(text, got), reset)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not end", name)
	}
}

// linkFaults are all faults on links but Ring, which is a partition.
var linkFaults = []Fault{
	Bandwidth{}, Blackhole{}, Chop{}, Flapping{}, Latency{}, Partition{}, Reset{}, SlowClose{},
}

// draw draws values of a fault's settings.
func draw(t *rapid.T, f Fault) Settings {
	drawn := Settings{}
	for _, s := range f.Info().Settings {
		switch {
		case s.Name == "rate":
			drawn[s.Name] = rapid.SampledFrom([]int64{1, 100, 100_000}).Draw(t, s.Name)
		case s.Name == "size":
			drawn[s.Name] = rapid.Int64Range(1, 2000).Draw(t, s.Name)
		case s.Name != "dead-peer" || rapid.Bool().Draw(t, "drops"):
			drawn[s.Name] = rapid.SampledFrom([]time.Duration{time.Microsecond, 300 * time.Microsecond, 3 * time.Millisecond, time.Hour}).Draw(t, s.Name)
		}
	}
	return drawn
}

// Whatever faults come and go on a link, in whatever order: no byte is lost, doubled or moved on a connection that was
// not reset; once all are healed, old and new connections work, and nothing of the faults is left.
func TestLinkFaultsCombine(t *testing.T) {
	before := runtime.NumGoroutine()
	rapid.Check(t, func(t *rapid.T) {
		links := links.New()
		defer links.Close()
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		linked, err := links.Open("c1", "n1", "127.0.0.1:0", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c := &rig{fakeCluster: newFakeCluster(1), links: links}
		old := connect(t, ln, linked)
		var heals []func(context.Context) error
		mayReset, mustReset := false, false
		heal := func(t *rapid.T) {
			if len(heals) == 0 {
				t.Skip()
			}
			i := rapid.IntRange(0, len(heals)-1).Draw(t, "which")
			must.Succeed(t, heals[i](t.Context()))
			heals = slices.Delete(heals, i, i+1)
		}
		t.Repeat(map[string]func(*rapid.T){
			"inject": func(t *rapid.T) {
				if len(heals) == 4 {
					t.Skip()
				}
				f := rapid.SampledFrom(linkFaults).Draw(t, "fault")
				s := at(Holder, "c1")
				s.Target.Direction = rapid.SampledFrom([]Direction{Both, In, Out}).Draw(t, "direction")
				s.Settings = draw(t, f)
				heal, err := f.Inject(t.Context(), c, s)
				if err != nil {
					t.Fatal(err)
				}
				heals = append(heals, heal)
				mustReset = mustReset || f == Fault(Reset{})
				mayReset = mayReset || mustReset || f == Fault(Blackhole{}) || s.Settings.Duration("dead-peer") > 0
			},
			"heal": heal,
			"send": func(t *rapid.T) {
				n := rapid.IntRange(1, 5000).Draw(t, "bytes")
				old[rapid.IntRange(0, 1).Draw(t, "direction")].send(n)
			},
			"wait": func(t *rapid.T) {
				time.Sleep(time.Duration(rapid.IntRange(0, 2000).Draw(t, "µs")) * time.Microsecond)
			},
		})
		for len(heals) > 0 {
			heal(t)
		}
		young := connect(t, ln, linked)
		for i, s := range append(young, old...) {
			s.send(3000)
			s.check(t, fmt.Sprintf("stream %d", i), i >= 2 && mayReset, i >= 2 && mustReset)
		}
		if left := links.Left(); len(left) > 0 {
			t.Fatalf("%v are not as they were", left)
		}
	})
	tcptest.NoGoroutines(t, before)
}

// connect makes a connection, and returns both directions.
func connect(t *rapid.T, ln net.Listener, linked string) []*traffic {
	caller, err := net.Dial("tcp", linked)
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, ln.(*net.TCPListener).SetDeadline(time.Now().Add(20*time.Second)))
	callee, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { caller.Close(); callee.Close() })
	a, b := caller.(*net.TCPConn), callee.(*net.TCPConn)
	var aReset, bReset bool
	return []*traffic{newTraffic(a, b, &aReset, &bReset), newTraffic(b, a, &bReset, &aReset)}
}
