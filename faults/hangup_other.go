//go:build !linux

package faults

import "net"

// hasHungUp needs poll(2) with POLLRDHUP; runs are supported on Linux only.
func hasHungUp(*net.TCPConn) bool { return false }
