package redisclient_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
	"github.com/lockbench/lockbench/drivers/internal/redistest"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestMain(m *testing.M) { os.Exit(bed.Main(m)) }

// A call whose reply never comes ends with its context's cancellation, and no other call does.
func TestHeed(t *testing.T) {
	s := redistest.Start(t, 1)
	c := redisclient.New(s.Addrs[0], s.Credentials())
	defer c.Close()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	heal := s.Hold(0)
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		defer redisclient.Heed(ctx, c)()
		answered <- c.Incr(ctx, "calls").Err()
	}()
	locktest.Eventually(t, "the call arrives", func() bool { return s.Value(t, 0, "calls") == "1" })
	cancel()
	// go-redis by itself would wait for its read time-out, and say so.
	if err := <-answered; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the call: %v, want %v", err, net.ErrClosed)
	}
	heal()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("the next call: %v", err)
	}
	done := redisclient.Heed(ctx, c) // ended already: whatever it does, it has done when done returns
	done()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("a call after one that was broken off: %v", err)
	}
	if v := s.Value(t, 0, "calls"); v != "1" {
		t.Errorf("the call arrived %s times", v)
	}
}

// However often a server was out of reach, the next call tries to connect: a lease may depend on it.
func TestConnectsAgain(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must.Succeed(t, err)
	addr := ln.Addr().String()
	must.Succeed(t, ln.Close())
	c := redisclient.New(addr, drivers.Credentials{})
	defer c.Close()
	for range 5 {
		if err := c.Ping(t.Context()).Err(); !redisclient.Unsent(err) {
			t.Fatalf("no server: %v", err)
		}
	}
	ln, err = net.Listen("tcp", addr)
	must.Succeed(t, err)
	defer ln.Close()
	go func() {
		if conn, err := ln.Accept(); err == nil {
			_ = conn.Close()
		}
	}()
	if err := c.Ping(t.Context()).Err(); err == nil || redisclient.Unsent(err) {
		t.Errorf("a server that hangs up: %v; it was not tried to connect", err)
	}
}

func TestUnsent(t *testing.T) {
	s := redistest.Start(t, 1)
	s.Kill(t, 0)
	c := redisclient.New(s.Nodes[0].Addr, s.Credentials())
	defer c.Close()
	if err := c.Ping(t.Context()).Err(); !redisclient.Unsent(err) {
		t.Errorf("a refused connection: %v is said to have been sent", err)
	}
	if redisclient.Unsent(net.ErrClosed) || redisclient.Unsent(nil) {
		t.Error("a broken connection, or none, is said to have sent nothing")
	}
}
