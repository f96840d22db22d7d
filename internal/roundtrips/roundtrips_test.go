package roundtrips

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults/links"
)

// fake is a lock that only waits for its servers, which echo.
type fake struct {
	conns   []net.Conn
	acquire func(*fake) error
}

// ask waits for the n-th server.
func (f *fake) ask(n int) error {
	var b [8]byte
	if _, err := f.conns[n].Write(b[:]); err != nil {
		return err
	}
	_, err := io.ReadFull(f.conns[n], b[:])
	return err
}

func (f *fake) Acquire(context.Context, string) (drivers.Lease, error) { return f, f.acquire(f) }
func (f *fake) Token() (uint64, bool)                                  { return 0, false }
func (f *fake) Lost() <-chan struct{}                                  { return nil }
func (f *fake) Release(context.Context) error                          { return nil }

func (f *fake) Close() error {
	var errs []error
	for _, c := range f.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func opens(acquire func(*fake) error) drivers.Driver {
	return drivers.Driver{Open: func(_ context.Context, addrs []string, _ drivers.Options) (drivers.Locker, error) {
		f := &fake{acquire: acquire}
		for _, addr := range addrs {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return nil, errors.Join(err, f.Close())
			}
			f.conns = append(f.conns, c)
		}
		return f, nil
	}}
}

// oneByOne asks all servers, each when the one before has answered.
func oneByOne(f *fake) error {
	for n := range f.conns {
		if err := f.ask(n); err != nil {
			return err
		}
	}
	return nil
}

// atOnce asks all servers side by side.
func atOnce(f *fake) error {
	errs := make([]error, len(f.conns))
	var wg sync.WaitGroup
	for n := range f.conns {
		wg.Go(func() { errs[n] = f.ask(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// chatter gets answers that nobody waits for: it sends what a server's pings would have it send.
func chatter(f *fake) error {
	if err := f.ask(0); err != nil {
		return err
	}
	go func() {
		for range 3 {
			if f.ask(1) != nil {
				return // closed meanwhile
			}
		}
	}()
	return nil
}

func TestMeasure(t *testing.T) {
	for _, test := range []struct {
		name    string
		acquire func(*fake) error
		want    int
	}{
		{"three one by one", oneByOne, 3},
		{"three at once", atOnce, 1},
		{"twice the same", func(f *fake) error { return errors.Join(f.ask(0), f.ask(0)) }, 2},
		{"at once and again", func(f *fake) error { return errors.Join(atOnce(f), atOnce(f)) }, 2},
		{"none", func(*fake) error { return nil }, 0},
		{"with chatter", chatter, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mesh := links.New()
			defer mesh.Close()
			var addrs []string
			var flows []links.Flow
			for _, server := range []string{echo(t), echo(t), echo(t)} {
				addr, err := mesh.Open("c1", server, "127.0.0.1:0", server)
				if err != nil {
					t.Fatal(err)
				}
				addrs = append(addrs, addr)
				flows = append(flows, links.Flow{From: "c1", To: server}, links.Flow{From: server, To: "c1"})
			}
			longer := func(by time.Duration) (func(), error) { return mesh.Slow(links.Fixed(by/2), flows...) }
			found, err := Measure(t.Context(), Config{Driver: opens(test.acquire), Addrs: addrs, Longer: longer, Delay: 60 * time.Millisecond})
			if err != nil || found.N != test.want || found.Acquires%pairs != 0 {
				t.Errorf("%+v, %v; want %d round trips", found, err, test.want)
			}
			// A lock that cannot be opened or asked has no figure.
			for _, broken := range []drivers.Driver{opens(func(*fake) error { return errors.New("refused") }), {
				Open: func(context.Context, []string, drivers.Options) (drivers.Locker, error) {
					return nil, errors.New("refused")
				},
			}} {
				found, err := Measure(t.Context(), Config{Driver: broken, Addrs: addrs, Longer: longer})
				if err == nil || !strings.Contains(err.Error(), "refused") || found != (Found{}) {
					t.Errorf("%+v, %v", found, err)
				}
			}
		})
	}
}

func echo(t *testing.T) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); _, _ = io.Copy(conn, conn) }()
		}
	}()
	return ln.Addr().String()
}

func TestCount(t *testing.T) {
	const delay = 20 * time.Millisecond
	for _, test := range []struct {
		longer time.Duration
		want   int // below 0: none
	}{
		{0, 0}, {-5 * time.Millisecond, 0}, {15 * time.Millisecond, 1}, {25 * time.Millisecond, 1}, {63 * time.Millisecond, 3},
		{30 * time.Millisecond, -1}, {13 * time.Millisecond, -1}, {-20 * time.Millisecond, -1},
	} {
		found, err := count(Found{Acquires: pairs, Delay: delay, Longer: test.longer})
		switch {
		case test.want < 0 && (err == nil || found != (Found{})):
			t.Errorf("%v: %+v, want an error", test.longer, found)
		case test.want >= 0 && (err != nil || found.N != test.want):
			t.Errorf("%v: %+v, %v, want %d", test.longer, found, err, test.want)
		}
	}
}
