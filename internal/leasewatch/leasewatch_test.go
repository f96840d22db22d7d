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
		w.Stop()
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

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := make(chan struct{})
		w := Start(t.Context(), time.Now().Add(ttl), ttl/3, func(ctx context.Context) (time.Time, error) {
			close(under)
			<-ctx.Done()
			return time.Now().Add(ttl), nil
		})
		<-under
		w.Stop()
		time.Sleep(2 * ttl)
		select {
		case <-w.Lost():
			t.Error("a lease that was given back was reported lost")
		default:
		}
	})
}
