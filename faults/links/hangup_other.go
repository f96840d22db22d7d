//go:build !linux

package links

import "net"

// hasHungUp needs poll(2) with POLLRDHUP; runs are supported on Linux only.
func hasHungUp(*net.TCPConn) bool { return false }
