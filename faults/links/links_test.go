package links

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/tcptest"
)

// open makes a link a→b to a new server.
func open(t *testing.T) (links *Links, linked string, conns <-chan *net.TCPConn) {
	t.Helper()
	upstream, conns := tcptest.Server(t)
	links = New()
	t.Cleanup(func() { links.Close() })
	linked, err := links.Open("a", "b", "127.0.0.1:0", upstream)
	if err != nil {
		t.Fatal(err)
	}
	return links, linked, conns
}

func cut(t *testing.T, l *Links, flows ...Flow) func() {
	t.Helper()
	heal, err := l.Cut(flows...)
	if err != nil {
		t.Fatal(err)
	}
	return heal
}

var there, back = Flow{"a", "b"}, Flow{"b", "a"}

// connected is a caller of a link and whom it reached.
func connected(t *testing.T) (links *Links, caller, callee net.Conn) {
	t.Helper()
	links, linked, conns := open(t)
	caller = tcptest.Dial(t, linked)
	tcptest.Send(t, caller, "x")
	callee = tcptest.Accepted(t, conns)
	tcptest.Receive(t, callee, "x")
	return links, caller, callee
}

func TestCutHoldsAndDeliversLate(t *testing.T) {
	links, caller, callee := connected(t)

	heal := cut(t, links, there, back)
	tcptest.Send(t, caller, "two")
	tcptest.Send(t, callee, "deux")
	tcptest.Silent(t, callee)
	tcptest.Silent(t, caller)
	heal()
	tcptest.Receive(t, callee, "two")
	tcptest.Receive(t, caller, "deux")
}

func TestCutOneWay(t *testing.T) {
	for _, tt := range []struct {
		name      string
		flow      Flow
		cutCaller bool
	}{{"forward", there, true}, {"reverse", back, false}} {
		t.Run(tt.name, func(t *testing.T) {
			links, caller, callee := connected(t)
			from, to := callee, caller
			if tt.cutCaller {
				from, to = to, from
			}
			heal := cut(t, links, tt.flow)
			tcptest.Send(t, from, "held")
			tcptest.Send(t, to, "free")
			tcptest.Receive(t, from, "free")
			tcptest.Silent(t, to)
			heal()
			tcptest.Receive(t, to, "held")
		})
	}
}

func TestCutHoldsTheEndOfAConnection(t *testing.T) {
	links, caller, callee := connected(t)
	heal := cut(t, links, there, back)
	tcptest.Send(t, caller, "last words")
	must.Succeed(t, caller.Close())
	tcptest.Silent(t, callee)
	heal()
	tcptest.Receive(t, callee, "last words")
	if n, err := callee.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("read %d, %v after the end, want EOF", n, err)
	}
}

func TestCutDelaysNewConnections(t *testing.T) {
	for _, flow := range []Flow{there, back} {
		links, linked, conns := open(t)
		heal := cut(t, links, flow)
		patient := tcptest.Dial(t, linked)
		tcptest.Send(t, patient, "patient")
		impatient := tcptest.Dial(t, linked)
		tcptest.Send(t, impatient, "gave up")
		must.Succeed(t, impatient.Close())
		select {
		case <-conns:
			t.Fatal("a connection was made across a cut")
		case <-time.After(100 * time.Millisecond):
		}
		heal()
		tcptest.Receive(t, tcptest.Accepted(t, conns), "patient")
		select {
		case conn := <-conns:
			t.Fatalf("a caller that had hung up reached the server from %v", conn.RemoteAddr())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestCutsAreCounted(t *testing.T) {
	links, caller, callee := connected(t)
	first, second := cut(t, links, there), cut(t, links, there, back)
	tcptest.Send(t, caller, "y")
	first()
	first() // healing twice must not heal the other cut
	tcptest.Silent(t, callee)
	second()
	tcptest.Receive(t, callee, "y")
	if _, err := links.Cut(Flow{"a", "nobody"}); err == nil {
		t.Fatal("a link that does not exist was cut")
	}
}

// TestNoBytePassesACut cuts a link that is under full load in the middle of a write.
func TestNoBytePassesACut(t *testing.T) {
	links, linked, conns := open(t)
	caller := tcptest.Dial(t, linked)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	stop := make(chan struct{})
	written := make(chan int, 1)
	go func() {
		total := 0
		defer func() { written <- total }()
		for {
			select {
			case <-stop:
				caller.CloseWrite()
				return
			default:
			}
			n, err := caller.Write(sent)
			total += n
			if err != nil {
				return
			}
		}
	}()
	callee := tcptest.Accepted(t, conns)
	received := 0
	buf := make([]byte, 64<<10)
	// read takes what comes within the time and checks that no byte is lost, doubled or out of order.
	read := func(within time.Duration) (int, error) {
		callee.SetReadDeadline(time.Now().Add(within))
		n, err := callee.Read(buf)
		for i, b := range buf[:n] {
			if b != sent[(received+i)%len(sent)] {
				t.Fatalf("byte %d is %q, want %q", received+i, b, sent[(received+i)%len(sent)])
			}
		}
		received += n
		return n, err
	}
	for range 10 {
		for range 50 {
			if _, err := read(10 * time.Second); err != nil {
				t.Fatal(err)
			}
		}
		heal := cut(t, links, there)
		for { // what the kernel had taken before the cut is still there to read
			if n, _ := read(50 * time.Millisecond); n == 0 {
				break
			}
		}
		tcptest.Silent(t, callee)
		heal()
	}
	close(stop)
	for {
		if _, err := read(10 * time.Second); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if total := <-written; received != total {
		t.Fatalf("%d bytes sent, %d received", total, received)
	}
}

func TestDeadUpstreamRefuses(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := ln.Addr().String()
	ln.Close()
	links := New()
	defer links.Close()
	linked, err := links.Open("a", "b", "127.0.0.1:0", dead)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := net.Dial("tcp", linked)
	if err != nil {
		return // the reset came before dial returned
	}
	defer caller.Close()
	caller.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := caller.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Fatalf("read: %v, want a closed connection", err)
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	upstream, conns := tcptest.Server(t)
	links := New()
	linked, err := links.Open("a", "b", "127.0.0.1:0", upstream)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		caller := tcptest.Dial(t, linked)
		tcptest.Send(t, caller, "x")
		tcptest.Receive(t, tcptest.Accepted(t, conns), "x")
	}
	broken := tcptest.Dial(t, linked)
	tcptest.Send(t, broken, "x")
	callee := tcptest.Accepted(t, conns)
	callee.SetLinger(0)
	callee.Close() // with bytes under way in both directions
	cut(t, links, there, back)
	held := tcptest.Dial(t, linked)
	tcptest.Send(t, held, strings.Repeat("held", 1<<20)[:1<<10])
	must.Succeed(t, links.Close())
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+1 { // the server's own
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("goroutines left behind:\n%s", buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(time.Millisecond)
	}
	if conn, err := net.Dial("tcp", linked); err == nil {
		conn.Close()
		t.Fatal("a closed link still listens")
	}
}

// BenchmarkHop shows what a link adds to a round trip: compare the two.
func BenchmarkHop(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); io.Copy(conn, conn) }()
		}
	}()
	links := New()
	defer links.Close()
	linked, err := links.Open("a", "b", "127.0.0.1:0", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	for name, addr := range map[string]string{"direct": ln.Addr().String(), "linked": linked} {
		b.Run(name, func(b *testing.B) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			var buf [64]byte
			for b.Loop() {
				if _, err := conn.Write(buf[:]); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(conn, buf[:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
