//go:build !linux

package local

import (
	"io"

	"github.com/lockbench/lockbench/internal/provision"
)

// New reports that this platform cannot run servers.
func New() (provision.Host, error) { return nil, provision.ErrUnsupported }

// RunJanitor reports that this platform cannot run servers.
func RunJanitor(io.Reader, string) error { return provision.ErrUnsupported }
