package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/shirou/gopsutil/v4/disk"
)

// minFree is what the servers of all drivers preallocate at once, and as much again for histories and logs. Bytes.
const minFree = 1 << 30

// scratch looks at the directory in which servers live while they run.
func scratch(ctx context.Context, dir string) Check {
	c := Check{Name: "scratch", State: OK, Detail: dir}
	if err := writable(dir); err != nil {
		c.State, c.Detail = Missing, err.Error()
		c.Advice = "set TMPDIR to a directory that you can write to"
		return c
	}
	usage, err := disk.UsageWithContext(ctx, dir)
	if err != nil {
		c.State, c.Detail = Warning, fmt.Sprintf("%s; its free space cannot be read: %v", dir, err)
		return c
	}
	return scratchSpace(dir, usage.Free)
}

func scratchSpace(dir string, free uint64) Check {
	c := Check{Name: "scratch", State: OK, Detail: fmt.Sprintf("%s, %.1f GiB free", dir, float64(free)/(1<<30))}
	if free < minFree {
		c.State = Warning
		c.Advice = fmt.Sprintf("free some space (a run of all drivers takes up to %d GiB), or set TMPDIR to another disk", minFree>>30)
	}
	return c
}

// resultsDir looks at the directory that runs are written to. It need not exist yet.
func resultsDir(dir string) Check {
	c := Check{Name: "results", State: OK, Detail: dir}
	if err := writable(existing(dir)); err != nil {
		c.State, c.Detail = Missing, err.Error()
		c.Advice = "run where you can write, or name another directory with --out"
	}
	return c
}

// existing is the nearest of dir and its parents that exists.
func existing(dir string) string {
	dir = filepath.Clean(dir)
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// writable makes a file in dir and removes it. Permissions alone do not tell: the disk may be full or read-only.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".lockbench-doctor-")
	if err != nil {
		return fmt.Errorf("write to %s: %w", dir, err)
	}
	_, err = f.WriteString("x")
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("write to %s: %w", dir, err)
	}
	return nil
}
