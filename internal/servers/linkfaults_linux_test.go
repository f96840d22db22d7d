package servers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// linkedRedis is one server with client c1 behind a link.
type linkedRedis struct {
	*bed
	linked string // the address that c1 dials
	direct *goredis.Client
	value  string // of the key "large"
}

func (r *linkedRedis) Clients() []string { return []string{"c1"} }

// user is a client with a connection that the server calls by its id.
type user struct {
	*goredis.Client
	t  *testing.T
	id int64
}

func (r *linkedRedis) user(t *testing.T) *user {
	t.Helper()
	u := &user{Client: goredis.NewClient(servers.RedisConfig(r.linked, r.Credentials())).WithTimeout(patience), t: t}
	t.Cleanup(func() { _ = u.Close() }) // the test may have closed it
	var err error
	if u.id, err = u.ClientID(t.Context()).Result(); err != nil {
		t.Fatal(err)
	}
	return u
}

// connected reports whether the server knows the user's first connection.
func (r *linkedRedis) connected(u *user) bool {
	u.t.Helper()
	list, err := r.direct.ClientList(u.t.Context()).Result()
	if err != nil {
		u.t.Fatal(err)
	}
	return strings.Contains(list, fmt.Sprintf("id=%d ", u.id))
}

// ping takes as long as it must, but not longer than limit.
func (u *user) ping(limit time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(u.t.Context(), limit)
	defer cancel()
	began := time.Now()
	err := u.Ping(ctx).Err()
	return time.Since(began), err
}

// silent fails the test unless a ping is not answered in time.
func (u *user) silent() {
	u.t.Helper()
	if _, err := u.ping(200 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
		u.t.Errorf("a ping across the fault: %v, want a time-out", err)
	}
}

// takes fails the test unless f takes at least so long.
func (u *user) takes(least time.Duration, what string, f func()) {
	u.t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took < least {
		u.t.Errorf("%s took %v, want at least %v", what, took, least)
	}
}

// large reads the large value, and wants it whole.
func (r *linkedRedis) large(u *user) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), patience)
	defer cancel()
	if got, err := u.Get(ctx, "large").Result(); err != nil || got != r.value {
		u.t.Errorf("%d bytes came of %d, the right ones: %v (%v)", len(got), len(r.value), strings.HasPrefix(r.value, got), err)
	}
}

// Every fault on links as a client of a real server sees it, and its healing.
func TestRedisBehindFaultyLinks(t *testing.T) {
	r := &linkedRedis{bed: newBed(t, servers.Redis{}, 1, false), value: strings.Repeat("0123456789abcdef", 2<<10)} // 32 KiB
	var err error
	if r.linked, err = r.links.Open("c1", "n1", "127.0.0.1:0", r.addr("n1")); err != nil {
		t.Fatal(err)
	}
	r.direct = goredis.NewClient(servers.RedisConfig(r.addr("n1"), r.Credentials()))
	defer r.direct.Close()
	if err := r.direct.Set(t.Context(), "large", r.value, 0).Err(); err != nil {
		t.Fatal(err)
	}
	const ms = time.Millisecond
	for _, test := range []struct {
		fault     string
		direction faults.Direction
		settings  faults.Settings
		sees      func(u *user, heal func()) // heal may be called; it is called again
		keeps     bool                       // the connection goes on after the heal
	}{
		{"latency", faults.Both, faults.Settings{"delay": 50 * ms, "jitter": ms}, func(u *user, _ func()) {
			u.takes(100*ms, "a ping", func() { u.answers() })
		}, true},
		{"latency", faults.In, faults.Settings{"delay": 300 * time.Microsecond}, func(u *user, _ func()) {
			u.takes(300*time.Microsecond, "a ping", func() { u.answers() })
		}, true},
		{"bandwidth", faults.In, faults.Settings{"rate": int64(64)}, func(u *user, _ func()) {
			u.takes(500*ms, "32 KiB at 64 KiB/s", func() { r.large(u) })
		}, true},
		{"chop", faults.In, faults.Settings{"size": int64(1 << 10), "gap": 5 * ms}, func(u *user, _ func()) {
			u.takes(31*5*ms, "32 pieces and more", func() { r.large(u) })
		}, true},
		{"chop", faults.Both, faults.Settings{"size": int64(1)}, func(u *user, _ func()) { r.large(u) }, true},
		{"blackhole", faults.Both, faults.Settings{}, func(u *user, _ func()) { u.silent() }, false},
		{"blackhole", faults.In, faults.Settings{}, func(u *user, _ func()) { u.silent() }, false},
		{"reset", faults.Both, faults.Settings{}, func(u *user, _ func()) {
			must.Eventually(u.t, "a ping ends with a reset", func() bool {
				_, err := u.ping(patience)
				return errors.Is(err, syscall.ECONNRESET)
			})
			must.Eventually(u.t, "the server has no connection", func() bool { return !r.connected(u) })
		}, false},
		{"reset", faults.Out, faults.Settings{}, func(u *user, _ func()) {
			must.Eventually(u.t, "the server has no connection", func() bool { return !r.connected(u) })
			u.silent() // the client knows of nothing
		}, false},
		{"slow-close", faults.Out, faults.Settings{"delay": 300 * ms}, func(u *user, _ func()) {
			u.answers()
			u.takes(300*ms, "until the server knows of the end it", func() {
				if err := u.Close(); err != nil {
					u.t.Fatal(err)
				}
				must.Eventually(u.t, "the server has no connection", func() bool { return !r.connected(u) })
			})
		}, false},
		{"flapping", faults.Both, faults.Settings{"up": 50 * ms, "down": 50 * ms}, func(u *user, _ func()) {
			held, free := false, false
			must.Eventually(u.t, "pings are held at times, and at times they are not", func() bool {
				took, err := u.ping(patience)
				held, free = held || took >= 20*ms, free || took < 20*ms
				return err == nil && held && free
			})
		}, true},
		{"partition", faults.Both, faults.Settings{}, func(u *user, heal func()) {
			answered := make(chan error, 1)
			go func() {
				_, err := u.ping(patience)
				answered <- err
			}()
			select {
			case err := <-answered:
				u.t.Errorf("a ping across a cut: %v", err)
			case <-time.After(100 * ms):
			}
			if !r.connected(u) {
				u.t.Error("the server knows of the cut")
			}
			heal()
			if err := <-answered; err != nil {
				u.t.Errorf("a ping that was held: %v", err)
			}
		}, true},
		{"partition", faults.Both, faults.Settings{"dead-peer": 50 * ms}, func(u *user, _ func()) {
			must.Eventually(u.t, "the server drops the connection", func() bool { return !r.connected(u) })
			u.silent()
		}, false},
	} {
		t.Run(test.fault+" "+string(test.direction), func(t *testing.T) {
			u := r.user(t)
			heal := r.injectInto(r, test.fault, faults.Injection{
				Target: faults.Target{Role: "c1", Direction: test.direction}, Hosts: []string{"c1"}, Settings: test.settings,
			})
			test.sees(u, heal)
			heal()
			if test.keeps {
				if id, err := u.ClientID(t.Context()).Result(); err != nil || id != u.id {
					t.Errorf("after the heal the connection is %d (%v), it was %d", id, err, u.id)
				}
			} else {
				must.Eventually(t, "the old connection is gone", func() bool { return !r.connected(u) })
			}
			young := r.user(t)
			must.Eventually(t, "a ping is fast", func() bool {
				took, err := young.ping(patience)
				return err == nil && took < 50*ms
			})
			r.large(young)
		})
	}
}

// answers fails the test unless a ping is answered.
func (u *user) answers() {
	u.t.Helper()
	if _, err := u.ping(patience); err != nil {
		u.t.Error(err)
	}
}

// In a ring of three the follower that lost the leader cannot serve, for it cannot lead either; the other two go on.
func TestEtcdInARing(t *testing.T) {
	b := newBed(t, servers.Etcd{}, 3, false)
	b.put(inEtcd, "n1", "v")
	heal := b.injectInto(b, "ring", faults.Injection{Target: faults.Target{Role: faults.AllServers}, Hosts: b.Nodes()})
	var served, cutOff []string
	must.Eventually(t, "one server does not serve, and two do", func() bool {
		errs := make([]error, len(b.Nodes()))
		var wg sync.WaitGroup
		for i, n := range b.Nodes() {
			wg.Go(func() {
				_, errs[i] = try(t, func(ctx context.Context) (string, error) { return inEtcd.get(ctx, b.at(n)) })
			})
		}
		wg.Wait()
		served, cutOff = nil, nil
		for i, n := range b.Nodes() {
			if errs[i] == nil {
				served = append(served, n)
			} else {
				cutOff = append(cutOff, n)
			}
		}
		return len(served) == 2
	})
	b.put(inEtcd, served[0], "w")
	b.wants(inEtcd, served[1], "w")
	heal()
	b.wants(inEtcd, cutOff[0], "w")
}
