package links

import (
	"net"

	"golang.org/x/sys/unix"
)

// hasHungUp reports whether the other side has closed the connection, without reading from it.
func hasHungUp(conn *net.TCPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	hungUp := false
	err = raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(poll, 0)
		hungUp = err == nil && n > 0
	})
	return hungUp || err != nil
}
