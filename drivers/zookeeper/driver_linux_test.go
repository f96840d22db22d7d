package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

func TestExclusion(t *testing.T) {
	one, two := session(t, servers, 1), session(t, servers, 2)
	g := acquire(t, one, "exclusion")
	refused(t, two, "exclusion")
	refused(t, one, "exclusion") // not even to the session that holds it
	if q := queue(t, one, "exclusion"); len(q) != 1 {
		t.Errorf("nodes of those that gave up: %v", q)
	}
	next := make(chan drivers.Lease, 1)
	go func() { next <- acquire(t, two, "exclusion") }()
	eventually(t, "the rival waits", func() bool { return len(queue(t, one, "exclusion")) == 2 })
	held(t, g)
	if err := release(g); err != nil {
		t.Fatal(err)
	}
	rival := <-next
	if old, new := token(t, g), token(t, rival); new <= old {
		t.Errorf("token %d after %d", new, old)
	}
	if err := release(g); !errors.Is(err, drivers.ErrNotHeld) {
		t.Errorf("second release: %v, want %v", err, drivers.ErrNotHeld)
	}
	refused(t, one, "exclusion") // the second release did not touch the rival's grant
	if err := release(rival); err != nil {
		t.Fatal(err)
	}
	if q := queue(t, one, "exclusion"); len(q) != 0 {
		t.Errorf("left behind: %v", q)
	}
	held(t, g)
}

func TestTokensGrow(t *testing.T) {
	sessions := []*locker{session(t, servers, 1), session(t, servers, 2), session(t, servers, 3)}
	var last uint64
	for i := range 30 {
		g := acquire(t, sessions[i%3], "tokens")
		if n := token(t, g); n <= last {
			t.Fatalf("grant %d has token %d, the one before %d", i, n, last)
		}
		last = token(t, g)
		if err := release(g); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeadlineAtAnyTime(t *testing.T) {
	holder, l := session(t, servers, 1), session(t, servers, 2)
	if err := release(acquire(t, l, "deadline")); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 0))
	for i := range 60 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(12_000))*time.Microsecond)
		g, err := l.Acquire(ctx, "deadline")
		cancel()
		switch {
		case err == nil:
			if err := release(g); err != nil {
				t.Fatal(err)
			}
		case !errors.Is(err, drivers.ErrNotAcquired):
			t.Fatalf("attempt %d: %v, want a grant or %v", i, err, drivers.ErrNotAcquired)
		}
		// The server that is asked may be behind the one that the node was removed at.
		eventually(t, fmt.Sprintf("attempt %d (%v) leaves nothing behind", i, err), func() bool {
			return len(queue(t, holder, "deadline")) == 0
		})
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Acquire(ended, "deadline"); !errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire with an ended context: %v, want %v", err, drivers.ErrNotAcquired)
	}
}

func TestHolderCutOff(t *testing.T) {
	addrs, cut := link(t)
	one, two := session(t, addrs, 1), session(t, servers, 2)
	g, other := acquire(t, one, "cut"), acquire(t, one, "cut-too")
	next := make(chan drivers.Lease, 1)
	go func() { next <- acquire(t, two, "cut") }()
	eventually(t, "the rival waits", func() bool { return len(queue(t, two, "cut")) == 2 })
	held(t, g)
	heal := cut("n1", "n2", "n3")
	awaitLost(t, g)
	awaitLost(t, other)
	select {
	case <-next:
		t.Error("the rival was granted the lock before the holder knew that it might have lost it")
	default:
	}
	rival := <-next
	heal()
	eventually(t, "the former holder reaches a server and is told that it holds nothing", func() bool {
		err := release(g)
		if err == nil {
			t.Fatal("the former holder released a lock that it had lost")
		}
		return errors.Is(err, drivers.ErrNotHeld)
	})
	if _, err := one.Acquire(context.Background(), "cut"); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire in a session that was lost: %v, want an error that makes the caller close it", err)
	}
	if old, new := token(t, g), token(t, rival); new <= old {
		t.Errorf("token %d after %d", new, old)
	}
	held(t, rival)
	closeSession(t, one)
	held(t, rival)
}

func TestCloseEndsAPendingAcquire(t *testing.T) {
	addrs, cut := link(t)
	one, two := session(t, addrs, 1), session(t, servers, 2)
	g := acquire(t, two, "close")
	for _, isCut := range []bool{false, true} {
		waiting := session(t, addrs, 3)
		done := make(chan error, 1)
		go func() {
			_, err := waiting.Acquire(context.Background(), "close")
			done <- err
		}()
		eventually(t, "it waits", func() bool { return len(queue(t, two, "close")) == 2 })
		heal := func() {}
		if isCut {
			heal = cut("n1", "n2", "n3")
		}
		closeSession(t, waiting)
		if err := <-done; err == nil || errors.Is(err, drivers.ErrNotAcquired) {
			t.Errorf("cut: %v: acquire while the session was closed: %v, want an error that leaves it open", isCut, err)
		}
		heal()
		eventually(t, "its node is gone", func() bool { return len(queue(t, two, "close")) == 1 })
	}
	held(t, g)
	closeSession(t, one)
	closeSession(t, two)
	noGoroutine(t)
}

// A server that accepts and does not answer must not keep a client from the others.
func TestOpenTriesTheNextServer(t *testing.T) {
	addrs, cut := link(t)
	cut("n1", "n3")
	seed := uint64(0)
	for newHosts(addrs, rand.New(rand.NewPCG(seed, 0))).addrs[2] != addrs[1] { // until the one that answers is the last
		seed++
	}
	l := session(t, addrs, seed)
	if err := release(acquire(t, l, "next")); err != nil {
		t.Fatal(err)
	}
	cut("n2")
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := open(ctx, addrs, drivers.Options{TTL: ttl, Rand: rand.New(rand.NewPCG(1, 0))}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open without a server: %v", err)
	}
}

// An acquire whose reply was lost is open: the node may be there.
func TestReplyLost(t *testing.T) {
	addrs, cut := link(t)
	one := session(t, addrs, 1)
	if err := release(acquire(t, one, "reply")); err != nil {
		t.Fatal(err)
	}
	cut("n1", "n2", "n3")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := one.Acquire(ctx, "reply"); err == nil || errors.Is(err, drivers.ErrNotAcquired) {
		t.Errorf("acquire without an answer: %v, want an error that leaves it open", err)
	}
}

func TestPredecessor(t *testing.T) {
	for _, tt := range []struct {
		children []string
		own      string
		before   string
		ok       bool
	}{
		{nil, "a-0000000001", "", false},
		{[]string{"a-0000000001"}, "a-0000000001", "", true},
		{[]string{"a-0000000003", "z-0000000001", "b-0000000002"}, "a-0000000003", "b-0000000002", true},
		{[]string{"a-0000000003", "z-0000000004"}, "a-0000000003", "", true},
		{[]string{"z-0000000001"}, "a-0000000003", "z-0000000001", false},
	} {
		before, ok := predecessor(tt.children, tt.own)
		if ok != tt.ok || before != tt.before {
			t.Errorf("%v, %s: %q, %v, want %q, %v", tt.children, tt.own, before, ok, tt.before, tt.ok)
		}
	}
}
