//go:build !linux

package client

import "errors"

func stopHere() error { return errors.New("clients are stopped on Linux only") }
