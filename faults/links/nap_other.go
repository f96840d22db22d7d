//go:build !linux

package links

import "time"

// nap sleeps for d; runs are supported on Linux only.
func nap(d time.Duration) { time.Sleep(d) }
