package conformance

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

// mark is the label of the goroutines that a driver under test starts.
const mark = "driver-under-test"

// marked makes a call of the driver. Goroutines that it starts inherit the label, and so do those that they start.
// Those that a timer starts do not.
func (b *bench) marked(call func()) {
	pprof.Do(context.Background(), pprof.Labels(mark, b.id), func(context.Context) { call() })
}

// left lists the goroutines that calls of the driver started and that still run.
func (b *bench) left() (stacks []string, err error) {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return nil, fmt.Errorf("list the goroutines: %w", err)
	}
	label := fmt.Sprintf("%q:%q", mark, b.id)
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, label) {
			stacks = append(stacks, stack)
		}
	}
	return stacks, nil
}

// leavesNothing: when all sessions are closed none of their goroutines is left.
func (b *bench) leavesNothing(t *testing.T) {
	var stacks []string
	defer func() {
		if t.Failed() {
			t.Log(strings.Join(stacks, "\n\n"))
		}
	}()
	locktest.Eventually(t, "no goroutine is left of sessions that were closed", func() (none bool) {
		var err error
		if stacks, err = b.left(); err != nil {
			t.Fatal(err)
		}
		return len(stacks) == 0
	})
}

// marker is a Locker whose calls are marked.
type marker struct {
	*bench
	drivers.Locker
}

// Acquire implements drivers.Locker.
func (m marker) Acquire(ctx context.Context, lock string) (lease drivers.Lease, err error) {
	m.marked(func() { lease, err = m.Locker.Acquire(ctx, lock) })
	if err != nil {
		return nil, err
	}
	return markedLease{m.bench, lease}, nil
}

// Close implements drivers.Locker.
func (m marker) Close() (err error) {
	m.marked(func() { err = m.Locker.Close() })
	return err
}

type markedLease struct {
	*bench
	drivers.Lease
}

// Release implements drivers.Lease.
func (m markedLease) Release(ctx context.Context) (err error) {
	m.marked(func() { err = m.Lease.Release(ctx) })
	return err
}
