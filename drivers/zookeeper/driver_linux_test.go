package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

func TestExclusion(t *testing.T) {
	one, two := session(t, ensembleAddrs, 1), session(t, ensembleAddrs, 2)
	g := locktest.Acquire(t, one, "exclusion")
	refused(t, two, "exclusion")
	refused(t, one, "exclusion") // not even to the session that holds it
	if q := queue(t, one, "exclusion"); len(q) != 1 {
		t.Errorf("nodes of those that gave up: %v", q)
	}
	next := make(chan drivers.Lease, 1)
	go func() { next <- locktest.Acquire(t, two, "exclusion") }()
	locktest.Eventually(t, "the rival waits", func() bool { return len(queue(t, one, "exclusion")) == 2 })
	locktest.NotLost(t, g)
	locktest.Release(t, g)
	rival := <-next
	if old, new := locktest.Token(t, g), locktest.Token(t, rival); new <= old {
		t.Errorf("token %d after %d", new, old)
	}
	locktest.NotHeld(t, "a second time", g)
	refused(t, one, "exclusion") // the second release did not touch the rival's grant
	locktest.Release(t, rival)
	if q := queue(t, one, "exclusion"); len(q) != 0 {
		t.Errorf("left behind: %v", q)
	}
	locktest.NotLost(t, g)
}

func TestDeadlineAtAnyTime(t *testing.T) {
	holder, l := session(t, ensembleAddrs, 1), session(t, ensembleAddrs, 2)
	locktest.Release(t, locktest.Acquire(t, l, "deadline"))
	random := rand.New(rand.NewPCG(3, 0))
	for i := range 60 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(12_000))*time.Microsecond)
		g, err := l.Acquire(ctx, "deadline")
		cancel()
		switch {
		case err == nil:
			locktest.Release(t, g)
		case !errors.Is(err, drivers.ErrNotAcquired):
			t.Fatalf("attempt %d: %v, want a grant or %v", i, err, drivers.ErrNotAcquired)
		}
		// The server that is asked may be behind the one that the node was removed at.
		locktest.Eventually(t, fmt.Sprintf("attempt %d (%v) leaves nothing behind", i, err), func() bool {
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
	client := link(t)
	addrs := client.Addrs()
	one, two := session(t, addrs, 1), session(t, ensembleAddrs, 2)
	g, other := locktest.Acquire(t, one, "cut"), locktest.Acquire(t, one, "cut-too")
	next := make(chan drivers.Lease, 1)
	go func() { next <- locktest.Acquire(t, two, "cut") }()
	locktest.Eventually(t, "the rival waits", func() bool { return len(queue(t, two, "cut")) == 2 })
	locktest.NotLost(t, g)
	heal := client.Cut(true, true)
	locktest.AwaitLost(t, g)
	locktest.AwaitLost(t, other)
	select {
	case <-next:
		t.Error("the rival was granted the lock before the holder knew that it might have lost it")
	default:
	}
	rival := <-next
	heal()
	locktest.Eventually(t, "the former holder reaches a server and is told that it holds nothing", func() bool {
		err := locktest.TryRelease(g)
		if err == nil {
			t.Fatal("the former holder released a lock that it had lost")
		}
		return errors.Is(err, drivers.ErrNotHeld)
	})
	_, err := one.Acquire(context.Background(), "cut")
	locktest.InDoubt(t, "acquire in a session that was lost", err)
	if old, new := locktest.Token(t, g), locktest.Token(t, rival); new <= old {
		t.Errorf("token %d after %d", new, old)
	}
	locktest.NotLost(t, rival)
	closeSession(t, one)
	locktest.NotLost(t, rival)
}

func TestCloseEndsAPendingAcquire(t *testing.T) {
	client := link(t)
	addrs := client.Addrs()
	one, two := session(t, addrs, 1), session(t, ensembleAddrs, 2)
	g := locktest.Acquire(t, two, "close")
	for _, isCut := range []bool{false, true} {
		waiting := session(t, addrs, 3)
		done := make(chan error, 1)
		go func() {
			_, err := waiting.Acquire(context.Background(), "close")
			done <- err
		}()
		locktest.Eventually(t, "it waits", func() bool { return len(queue(t, two, "close")) == 2 })
		heal := func() {}
		if isCut {
			heal = client.Cut(true, true)
		}
		closeSession(t, waiting)
		locktest.InDoubt(t, fmt.Sprintf("acquire while the session was closed (cut: %v)", isCut), <-done)
		heal()
		locktest.Eventually(t, "its node is gone", func() bool { return len(queue(t, two, "close")) == 1 })
	}
	locktest.NotLost(t, g)
	closeSession(t, one)
	closeSession(t, two)
	locktest.NoGoroutine(t, "go-zookeeper", "zookeeper.(*locker)", "zookeeper.call[")
}

// A server that accepts and does not answer must not keep a client from the others.
func TestOpenTriesTheNextServer(t *testing.T) {
	client := link(t)
	addrs := client.Addrs()
	client.CutFrom(true, true, 0, 2)
	seed := uint64(0)
	for newHosts(addrs, rand.New(rand.NewPCG(seed, 0))).addrs[2] != addrs[1] { // until the one that answers is the last
		seed++
	}
	l := session(t, addrs, seed)
	locktest.Release(t, locktest.Acquire(t, l, "next"))
	client.CutFrom(true, true, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := open(ctx, addrs, drivers.Options{Credentials: ensemble.Credentials(), TTL: ttl, Rand: rand.New(rand.NewPCG(1, 0))}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open without a server: %v", err)
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
