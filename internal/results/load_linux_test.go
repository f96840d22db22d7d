package results

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestLoadDoesNotWaitForAPipe(t *testing.T) {
	refuses(t, func(path string) error { return unix.Mkfifo(path, 0o600) })
}
