package clocks

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// spinOffsets are the offsets of the stress test. Their bytes differ, so that a mixture of two would be another time.
func spinOffsets() []time.Duration {
	return []time.Duration{0, 0x0102030405060708, -0x0102030405060708}
}

// spin reads the wall clock in four threads until the input ends, while the collector interrupts them with signals.
// It fails on a time that is none of the offsets'.
func spin(r io.Reader) error {
	var ended atomic.Bool
	var wrong atomic.Int64
	var threads sync.WaitGroup
	for range 4 {
		threads.Go(func() {
			runtime.LockOSThread()
			for !ended.Load() {
				d := time.Duration(time.Now().UnixNano()) - trueTime(unix.CLOCK_REALTIME)
				known := false
				for _, o := range spinOffsets() {
					known = known || (d-o).Abs() < tolerance
				}
				for range 100 { // most reads are not slowed down by a look at the truth
					_ = time.Now()
				}
				if !known {
					wrong.Store(int64(d))
				}
			}
		})
	}
	threads.Go(func() {
		for !ended.Load() {
			runtime.GC()
			time.Sleep(5 * time.Millisecond)
		}
	})
	_, err := io.Copy(io.Discard, r)
	ended.Store(true)
	threads.Wait()
	if d := wrong.Load(); err == nil && d != 0 {
		err = fmt.Errorf("a clock was off by %v", time.Duration(d))
	}
	return err
}

func TestThreadsSurviveSwaps(t *testing.T) {
	needClocks(t)
	c := goChild(t, "spin-child")
	for i := range swaps {
		if err := Set(c.pid(), spinOffsets()[1+i%2]); err != nil {
			t.Fatalf("swap %d: %v", i, err)
		}
		if err := Set(c.pid(), spinOffsets()[2-i%2]); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		if err := Undo(c.pid()); err != nil {
			t.Fatalf("swap back %d: %v", i, err)
		}
	}
}
