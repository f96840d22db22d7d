package leasewatch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockbench/lockbench/drivers"
)

const ttl = 3 * time.Second

// lostAfter runs a watch on a clock of its own and returns when it says that the lease is lost.
func lostAfter(t *testing.T, extend func(began time.Time) Extend) (after time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var e Extend
		if extend != nil {
			e = extend(began)
		}
		w := Start(t.Context(), began.Add(ttl), ttl/3, e)
		<-w.Lost()
		after = time.Since(began)
		w.Stop(t.Context())
	})
	return after
}

func TestLost(t *testing.T) {
	for _, tt := range []struct {
		name   string
		extend func(began time.Time) Extend
		want   time.Duration
	}{
		{"not renewed", nil, ttl},
		{"renewals fail", func(time.Time) Extend {
			return func(context.Context) (time.Time, error) { return time.Time{}, errors.New("no answer") }
		}, ttl},
		{"renewals hang", func(time.Time) Extend {
			return func(ctx context.Context) (time.Time, error) {
				<-ctx.Done()
				return time.Time{}, ctx.Err()
			}
		}, ttl},
		{"renewals hang and cannot be broken off", func(time.Time) Extend {
			return func(ctx context.Context) (time.Time, error) {
				<-ctx.Done()
				time.Sleep(ttl)
				return time.Time{}, ctx.Err()
			}
		}, ttl},
		{"every second renewal fails, for ten seconds", func(began time.Time) Extend {
			failed := false
			return func(context.Context) (time.Time, error) {
				if failed = !failed; failed || time.Since(began) > 10*time.Second {
					return time.Time{}, errors.New("no connection")
				}
				return began.Add(10*time.Second + ttl), nil
			}
		}, 10*time.Second + ttl},
		{"the first renewal hangs", func(began time.Time) Extend {
			hung := false
			return func(ctx context.Context) (time.Time, error) {
				if !hung {
					hung = true
					<-ctx.Done()
				}
				return began.Add(2 * ttl), ctx.Err()
			}
		}, 2 * ttl},
		{"renewals take all their time, for ten seconds", func(began time.Time) Extend {
			return func(ctx context.Context) (time.Time, error) {
				sent := time.Now()
				<-ctx.Done()
				if sent.Sub(began) > 10*time.Second {
					return time.Time{}, ctx.Err()
				}
				return sent.Add(ttl), nil
			}
		}, 10*time.Second + ttl},
		{"renewed for ten seconds", func(began time.Time) Extend {
			return func(context.Context) (time.Time, error) {
				if time.Since(began) > 10*time.Second {
					return time.Time{}, errors.New("no answer")
				}
				return time.Now().Add(ttl), nil
			}
		}, 10*time.Second + ttl},
		{"gone at the first renewal", func(time.Time) Extend {
			return func(context.Context) (time.Time, error) {
				return time.Time{}, fmt.Errorf("%w: another owner", drivers.ErrNotHeld)
			}
		}, ttl / 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := lostAfter(t, tt.extend); got != tt.want {
				t.Errorf("lost after %v, want %v", got, tt.want)
			}
		})
	}
}

// A holder gives up before the server ends the lease, but hardly.
func TestEnd(t *testing.T) {
	sent := time.Now()
	if early := sent.Add(ttl).Sub(End(sent, ttl)); early <= 0 || early > ttl/50 {
		t.Errorf("it gives up %v before the end of a lease of %v", early, ttl)
	}
}

// Stop ends the extension under way, which may take longer than who releases has time for.
func TestStop(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			under := make(chan struct{})
			w := Start(t.Context(), time.Now().Add(ttl), ttl/3, func(ctx context.Context) (time.Time, error) {
				close(under)
				<-ctx.Done()
				if deaf {
					time.Sleep(ttl)
				}
				return time.Now().Add(ttl), nil
			})
			<-under
			const within = ttl / 10
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			began, want := time.Now(), time.Duration(0)
			if deaf {
				want = within
			}
			w.Stop(ctx)
			if got := time.Since(began); got != want {
				t.Errorf("deaf %v: Stop took %v, want %v", deaf, got, want)
			}
			time.Sleep(2 * ttl)
			select {
			case <-w.Lost():
				t.Error("a lease that was given back was reported lost")
			default:
			}
		})
	}
}

// A watch whose session is closed says nothing and extends nothing.
func TestClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		w := Start(ctx, time.Now().Add(ttl), ttl/3, func(context.Context) (time.Time, error) {
			t.Error("extended")
			return time.Time{}, nil
		})
		end()
		time.Sleep(2 * ttl)
		select {
		case <-w.Lost():
			t.Error("reported lost")
		default:
		}
	})
}
