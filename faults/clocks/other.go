//go:build !(linux && amd64)

package clocks

import (
	"fmt"
	"runtime"
	"time"
)

func unsupported() error {
	return fmt.Errorf("%w: it takes linux/amd64, and this is %s/%s", ErrUnsupported, runtime.GOOS, runtime.GOARCH)
}

func probe() error                                { return unsupported() }
func set(int, time.Duration) error                { return unsupported() }
func readOffset(int) (time.Duration, bool, error) { return 0, false, unsupported() }
func undo(int) error                              { return unsupported() }
