package workload

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/rng"
)

// TestFewSessionsAreOpenedAtOnce: of many workers a few open their sessions at the same time, and all get their turn.
// One that waits gives up when its time is over.
func TestFewSessionsAreOpenedAtOnce(t *testing.T) {
	var mu sync.Mutex
	var once sync.Once
	now, most := 0, 0
	full, goOn := make(chan struct{}), make(chan struct{})
	c := &client{opening: make(chan struct{}, maxOpening), driver: drivers.Driver{
		Open: func(context.Context, []string, drivers.Options) (drivers.Locker, error) {
			mu.Lock()
			now++
			most = max(most, now)
			if now == maxOpening {
				once.Do(func() { close(full) })
			}
			mu.Unlock()
			<-goOn
			mu.Lock()
			now--
			mu.Unlock()
			return &fake{}, nil
		},
	}}
	newOne := func(i int) *worker { return &worker{client: c, index: i, random: rng.Stream(1, "w", i)} }
	var all sync.WaitGroup
	for i := range 4 * maxOpening {
		all.Go(func() {
			if err := newOne(i).session(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	<-full
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := newOne(99).session(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	for range 4 * maxOpening {
		goOn <- struct{}{}
	}
	all.Wait()
	if most != maxOpening {
		t.Errorf("%d sessions were opened at once, want %d", most, maxOpening)
	}
}
