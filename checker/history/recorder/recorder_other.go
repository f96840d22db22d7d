//go:build !linux

// Package recorder keeps one stream of a history while it happens; it needs Linux.
package recorder

import (
	"errors"

	"github.com/lockbench/lockbench/checker/history"
)

var errUnsupported = errors.New("recording a history is supported on Linux only")

// Recorder appends to one stream.
type Recorder struct{}

// Create reports that runs need Linux.
func Create(string) (*Recorder, error) { return nil, errUnsupported }

// Append reports that runs need Linux.
func (*Recorder) Append(*history.Op) error { return errUnsupported }

// Close reports that runs need Linux.
func (*Recorder) Close() error { return errUnsupported }
