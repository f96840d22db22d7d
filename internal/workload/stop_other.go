//go:build !linux

package workload

import "errors"

func stopHere() error { return errors.New("clients are stopped on Linux only") }
