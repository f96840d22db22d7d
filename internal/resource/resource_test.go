package resource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
)

// recorded collects what a resource records.
type recorded struct{ ops []history.Op }

func (r *recorded) record(op *history.Op) error {
	r.ops = append(r.ops, *op)
	return nil
}

const secret = "the secret of a run"

func listen(t testing.TB, cfg Config) *Server {
	cfg.Addr, cfg.Secret = "127.0.0.1:0", secret
	t.Helper()
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func do(t testing.TB, c *Client, req Request) Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	resp, err := c.Do(ctx, &req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func token(v uint64) *uint64 { return &v }

func TestFence(t *testing.T) {
	type step struct {
		f        string
		token    *uint64
		rejected bool
	}
	for _, tt := range []struct {
		name  string
		fence Fence
		steps []step
	}{
		{"unfenced takes anything", nil, []step{{"write", token(5), false}, {"write", token(1), false}, {"write", nil, false}}},
		{"lower is refused, equal is not", RejectLower, []step{{"write", token(5), false}, {"write", token(4), true}, {"write", token(5), false}}},
		{"a read raises the fence", RejectLower, []step{{"read", token(7), false}, {"write", token(6), true}, {"read", token(6), true}}},
		{"a refusal does not raise it", RejectLower, []step{{"read", token(7), false}, {"write", token(6), true}, {"write", token(7), false}}},
		{"zero is a token", RejectLower, []step{{"write", token(0), false}, {"write", nil, true}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rec recorded
			s := listen(t, Config{Fence: tt.fence, Record: rec.record})
			c := NewClient(s.Addr(), secret)
			defer c.Close()
			writes := uint64(0)
			for i, st := range tt.steps {
				resp := do(t, c, Request{F: st.f, Lock: "l", Client: "c1", Grant: 1, Request: int64(i + 1), Token: st.token})
				if resp.Rejected != st.rejected {
					t.Fatalf("step %d: rejected %v, want %v", i, resp.Rejected, st.rejected)
				}
				if st.f == "write" && !st.rejected {
					writes++
				}
				if resp.Version != writes {
					t.Fatalf("step %d: version %d, want %d", i, resp.Version, writes)
				}
			}
			for i, op := range rec.ops {
				if op.Seq != uint64(i+1) || (op.Type == history.Reject) != tt.steps[i].rejected {
					t.Errorf("op %d: %+v", i, op)
				}
			}
		})
	}
}

func TestOrderIsTotal(t *testing.T) {
	var rec recorded
	s := listen(t, Config{Record: rec.record})
	var wg sync.WaitGroup
	const workers, each = 8, 50
	for w := range workers {
		wg.Go(func() {
			c := NewClient(s.Addr(), secret)
			defer c.Close()
			for i := range each {
				if _, err := c.Do(context.Background(), &Request{F: "write", Lock: fmt.Sprint("l", i%2), Process: int64(w), Grant: 1, Request: int64(i + 1)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	versions := map[string]uint64{}
	for i, op := range rec.ops {
		versions[op.Lock]++
		if op.Seq != uint64(i+1) || op.Version != history.Some(versions[op.Lock]) {
			t.Fatalf("op %d: seq %d, version %v", i, op.Seq, op.Version)
		}
	}
	if len(rec.ops) != workers*each {
		t.Fatalf("%d ops recorded, want %d", len(rec.ops), workers*each)
	}
	if seen, _ := s.Grants(0); len(seen) != workers {
		t.Errorf("%d grants seen, want %d", len(seen), workers)
	}
}

func TestBadRequests(t *testing.T) {
	var rec recorded
	s := listen(t, Config{Record: rec.record})
	c := NewClient(s.Addr(), secret)
	defer c.Close()
	if _, err := c.Do(context.Background(), &Request{F: "erase", Lock: "l"}); err == nil {
		t.Error("an unknown request was served")
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "%s\nGET / HTTP/1.1\n", secret)
	var b [200]byte
	if n, err := conn.Read(b[:]); err != nil || n == 0 {
		t.Errorf("garbage was answered by %v", err)
	}
	if len(rec.ops) != 0 {
		t.Errorf("recorded %v", rec.ops)
	}
}

// TestLostAnswerIsAmbiguous has a server that takes the request and never answers.
func TestLostAnswerIsAmbiguous(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c := NewClient(ln.Addr().String(), secret)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Do(ctx, &Request{F: "write", Lock: "l"}); err == nil || errors.Is(err, ErrUnsent) {
		t.Errorf("a write without an answer gave %v, which claims that it never happened", err)
	}
	ln.Close()
	if _, err := c.Do(context.Background(), &Request{F: "write", Lock: "l"}); !errors.Is(err, ErrUnsent) {
		t.Errorf("a write without a connection gave %v", err)
	}
}

func TestListenNeedsAnIP(t *testing.T) {
	for _, addr := range []string{"", ":0", "127.0.0.1"} {
		if s, err := Listen(Config{Addr: addr, Secret: secret}); err == nil {
			t.Errorf("it listens at %q, as %s", addr, s.Addr())
			_ = s.Close()
		}
	}
}

// Whoever does not know the secret is served nothing, and recorded nowhere.
func TestStrangers(t *testing.T) {
	var rec recorded
	s := listen(t, Config{Record: rec.record})
	for _, guess := range []string{"", "x", secret[:len(secret)-1], secret + "x"} {
		c := NewClient(s.Addr(), guess)
		if _, err := c.Do(t.Context(), &Request{F: "write", Lock: "l"}); err == nil {
			t.Errorf("whoever says %q is served", guess)
		}
		_ = c.Close()
	}
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(conn, `{"f":"write","lock":"l"}`)
	_, _ = io.Copy(io.Discard, conn) // until the resource hangs up
	do(t, NewClient(s.Addr(), secret), Request{F: "write", Lock: "l"})
	if len(rec.ops) != 1 {
		t.Errorf("recorded %v", rec.ops)
	}
	if open, err := Listen(Config{Addr: "127.0.0.1:0"}); err == nil {
		t.Error("a resource without a secret serves anybody")
		_ = open.Close()
	}
}

func BenchmarkRequest(b *testing.B) {
	s := listen(b, Config{Record: func(*history.Op) error { return nil }})
	c := NewClient(s.Addr(), secret)
	defer c.Close()
	for b.Loop() {
		do(b, c, Request{F: "write", Lock: "l", Client: "c1", Process: 1, Grant: 1, Request: 1})
	}
}
