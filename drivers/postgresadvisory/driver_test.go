package postgresadvisory

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers/internal/pgtest"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m, func(s pgtest.Server) { server = s })) }

func TestLock(t *testing.T) {
	for _, d := range Drivers() {
		t.Run(d.Info.Name, pgtest.Bench{Server: server, Driver: d, TTL: 2 * time.Second}.Suite)
	}
}

func TestKeyIsStable(t *testing.T) {
	// The published test vectors of FNV-1a: clients of another release, or in another language, must agree.
	for name, want := range map[string]uint64{"": 0xcbf29ce484222325, "a": 0xaf63dc4c8601ec8c, "foobar": 0x85944171f73967e8} {
		if got := Key(name); got != int64(want) {
			t.Errorf("Key(%q) = %#x, want %#x", name, uint64(got), want)
		}
	}
}

func TestLimitIsSetWhenNeeded(t *testing.T) {
	var l limit
	statements := func(d time.Duration) int {
		ctx := context.Background()
		if d > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, d)
			defer cancel()
		}
		var batch pgx.Batch
		l.queue(ctx, &batch)
		return batch.Len()
	}
	for i, step := range []struct {
		wait   time.Duration
		forget bool
		want   int
	}{
		{wait: time.Hour, want: 1},
		{wait: time.Hour - time.Second, want: 0},
		{wait: time.Hour / 2, want: 1}, // the old limit would outlast the context
		{wait: time.Hour, want: 1},     // the old limit would refuse too early
		{wait: 0, want: 1},
		{wait: 0, want: 0},
		{wait: 0, forget: true, want: 1},
		{wait: time.Microsecond, want: 1},
	} {
		if step.forget {
			l.forget()
		}
		if got := statements(step.wait); got != step.want {
			t.Errorf("step %d: %d statements, want %d", i, got, step.want)
		}
		if step.wait > 0 && (l.value <= 0 || l.value > max(step.wait, time.Millisecond)) {
			t.Errorf("step %d: limit %v for a wait of %v", i, l.value, step.wait)
		}
	}
}
