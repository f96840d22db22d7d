package redisclient_test

import (
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/drivers/internal/redisclient"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// unanswered is the address of a server that answers no SYN: its queue of connections is full.
func unanswered(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must.Succeed(t, err)
	t.Cleanup(func() { ln.Close() })
	raw, err := ln.(*net.TCPListener).SyscallConn()
	must.Succeed(t, err)
	must.Succeed(t, raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) }))
	must.Succeed(t, err)
	for {
		conn, err := net.DialTimeout("tcp", ln.Addr().String(), 200*time.Millisecond)
		if err != nil {
			return ln.Addr().String()
		}
		t.Cleanup(func() { conn.Close() })
	}
}

// Close ends a call that waits for its connection.
func TestCloseWhileConnecting(t *testing.T) {
	c := redisclient.New(unanswered(t), drivers.Credentials{})
	called := make(chan error, 1)
	go func() { called <- c.Ping(t.Context()).Err() }()
	locktest.Eventually(t, "it connects", func() bool {
		buf := make([]byte, 1<<20)
		return strings.Contains(string(buf[:runtime.Stack(buf, true)]), "net.(*sysDialer).dialTCP")
	})
	must.Succeed(t, c.Close())
	select {
	case err := <-called:
		if !redisclient.Unsent(err) {
			t.Errorf("the call: %v, want an error that says that nothing was sent", err)
		}
	case <-time.After(3 * time.Second): // the library gives it 5 s
		t.Error("the call goes on")
	}
	locktest.NoGoroutine(t, "net.(*sysDialer).dialTCP")
}
