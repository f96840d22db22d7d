package servers

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestIntroduction(t *testing.T) {
	const callback = "127.0.0.9:3888"
	head := []byte("\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02") // the protocol's version, server 2
	message := func(addr string) []byte {
		return append(binary.BigEndian.AppendUint32(bytes.Clone(head), uint32(len(addr))), addr...)
	}
	for _, addr := range []string{"127.0.0.2:40001", "zk2.example.com:3888", ""} {
		in := bytes.NewBuffer(append(message(addr), "rest"...))
		got, err := introduction(in, callback)
		if err != nil || !bytes.Equal(got, message(callback)) {
			t.Errorf("%q: %q, %v, want %q", addr, got, err, message(callback))
		}
		if in.String() != "rest" {
			t.Errorf("%q: %q is left, want what follows the message", addr, in)
		}
	}
	for _, bad := range []string{"", "short", string(message("127.0.0.2:40001")[:30]), string(message(strings.Repeat("x", 4096)))} {
		if got, err := introduction(strings.NewReader(bad), callback); err == nil {
			t.Errorf("%q passes as %q", bad, got)
		}
	}
}

// A caller that comes before the server listens waits for it, and hears of the end of a server that is gone.
func TestQuorumRelayWaits(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	upstream := ln.Addr().String()
	must.Succeed(t, ln.Close())
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay := newQuorumRelay(at, upstream)
	caller, err := net.Dial("tcp", relay.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()
	if _, err := caller.Write([]byte("early")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // some refusals
	if ln, err = net.Listen("tcp", upstream); err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	got := make([]byte, len("early"))
	if _, err := io.ReadFull(server, got); err != nil || string(got) != "early" {
		t.Fatalf("the server reads %q, %v", got, err)
	}
	if _, err := server.Write([]byte("late")); err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, server.Close())
	if rest, err := io.ReadAll(caller); err != nil || string(rest) != "late" {
		t.Fatalf("the caller reads %q, %v", rest, err)
	}
	waiting, err := net.Dial("tcp", relay.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	if err := relay.close(); err != nil { // it waits for all connections
		t.Fatal(err)
	}
}
