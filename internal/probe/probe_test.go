package probe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestProbe(t *testing.T) {
	stdin, hold := io.Pipe()
	said, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Run(stdin, stdout, []string{Echo, "127.0.0.1:0"}) }()
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimSpace(line)
	var out bytes.Buffer
	must.Succeed(t, Run(nil, &out, []string{Ask, addr, addr}))
	in := json.NewDecoder(&out)
	for range 2 {
		var q Quantiles
		must.Succeed(t, in.Decode(&q))
		if q.P50 <= 0 || q.P99 < q.P50 {
			t.Errorf("%+v", q)
		}
	}
	if err := in.Decode(&Quantiles{}); err != io.EOF {
		t.Errorf("there is more than one result for each address: %v", err)
	}
	must.Succeed(t, hold.Close())
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := Run(nil, io.Discard, []string{Ask, addr}); err == nil {
		t.Error("a server that has ended answers")
	}
}

// A server that hangs up is an error, and not a fast one.
func TestProbeOfAServerThatHangsUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		if conn, err := ln.Accept(); err == nil {
			_ = conn.Close() // that is what it is for
		}
	}()
	var out bytes.Buffer
	if err := Run(nil, &out, []string{Ask, ln.Addr().String()}); err == nil || out.Len() > 0 {
		t.Errorf("%v, %q", err, &out)
	}
}

func TestProbeOfNothing(t *testing.T) {
	for _, args := range [][]string{nil, {"odd"}, {Ask}, {Echo, "127.0.0.1:0", "more"}} {
		if err := Run(strings.NewReader(""), io.Discard, args); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
