package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/attack"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// TestAttacks makes some of the attacks of `make attack`.
func TestAttacks(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must.Succeed(t, err)
	bin := filepath.Join(t.TempDir(), "lockbench") // under this name the test program is lockbench
	must.Succeed(t, os.Symlink(self, bin))
	for _, a := range attack.All() {
		if !a.Short {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "attack-") // short, for sockets, and open to the servers' user
			must.Succeed(t, err)
			must.Succeed(t, os.Chmod(dir, 0o711))
			defer func() { must.Succeed(t, os.RemoveAll(dir)) }()
			o := attack.Run(t.Context(), bin, filepath.Join(dir, "0"), false, a)
			if errors.Is(o.Err, attack.ErrCannot) {
				testenv.NeedCapability(t, o.Err)
			}
			if o.Err != nil {
				t.Error(o.Err)
			}
			t.Log(o.Became)
		})
	}
}
