//go:build !linux

// Package monotime is the clock of a history: the host's monotonic clock, which all its processes share.
package monotime

import (
	"errors"
	"time"
)

// Clock is a monotonic clock of this process alone.
type Clock struct{ origin time.Time }

// New reports that runs need Linux.
func New() (Clock, error) {
	return Clock{}, errors.New("a clock shared by processes is supported on Linux only")
}

// Now is in nanoseconds since the clock was made.
func (c Clock) Now() int64 { return int64(time.Since(c.origin)) }
