package links

import (
	"time"

	"golang.org/x/sys/unix"
)

// nap sleeps for d, and some 50 µs more at most: Go's timers would wait for a whole millisecond. It keeps a thread, so
// that d must be short.
func nap(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil) // a signal ends it early: the caller looks at the clock again
}
