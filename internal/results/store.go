package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/disk"
)

// ErrInUse is wrapped by the error of a directory in which a run is going on.
var ErrInUse = errors.New("a run is still going on there: wait until it is over")

// Dir is the directory of one run.
type Dir string

// Create makes the directory of a new run below out: <UTC time>-<scenario>. It never reuses one: runs that start
// in the same second get "-2", "-3" and so on.
func Create(out, scenario string, started time.Time) (Dir, error) {
	d, err := newDir(out, scenario, started)
	if err != nil {
		return "", err
	}
	for _, sub := range []string{HistoryDir, LogDir} {
		if err := os.Mkdir(d.File(sub), 0o755); err != nil {
			return "", fmt.Errorf("make the run's directory: %w", disk.Advise(err))
		}
	}
	return d, nil
}

// Discard removes the directory of a run that never began. It fails if anything was saved there.
func (d Dir) Discard() error {
	for _, path := range []string{d.File(HistoryDir), d.File(LogDir), string(d)} {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove the directory of a run that never began: %w", err)
		}
	}
	return nil
}

// CreateSet makes the directory of a set of runs below out: <UTC time>-<name>. It never reuses one.
func CreateSet(out, name string, started time.Time) (Dir, error) { return newDir(out, name, started) }

func newDir(out, name string, started time.Time) (Dir, error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", fmt.Errorf("make the directory for results (choose another with --out): %w", disk.Advise(err))
	}
	stem := started.UTC().Format("20060102T150405Z") + "-" + fileName(name)
	for n := 1; ; n++ {
		path := filepath.Join(out, stem)
		if n > 1 {
			path = fmt.Sprintf("%s-%d", path, n)
		}
		err := os.Mkdir(path, 0o755)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("make the run's directory (choose another place with --out): %w", disk.Advise(err))
		}
		return Dir(path), nil
	}
}

// fileName keeps what every file system takes; a scenario's name may be any text.
func fileName(s string) string {
	keep := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}
	if s = strings.Map(keep, s); s == "" {
		return "run"
	}
	return s[:min(len(s), 80)]
}

// namesFiles reports whether a name may be that of a file: files lie in the run's directory and nowhere else.
func namesFiles(name string) bool {
	return name != "" && name != "." && name != ".." && fileName(name) == strings.ReplaceAll(name, "+", "-")
}

// File is the path of one of the run's own files (RunFile, SummaryFile, …).
func (d Dir) File(name string) string { return filepath.Join(string(d), name) }

// History is the path of a test's history. The name is a test's, as Load has checked it.
func (d Dir) History(test string) string { return filepath.Join(string(d), HistoryDir, test+".jsonl") }

// HistogramFile is the file, within the run's directory, of the latency of a driver of one kind, in HdrHistogram's
// percentile format. The names are as Load has checked them.
func HistogramFile(driver, kind string) string {
	return filepath.Join(LatencyDir, driver+"."+kind+".hgrm")
}

// LogFile is the file, within the run's directory, of the latency of a driver over time, as HdrHistogram's interval log.
func LogFile(driver string) string { return filepath.Join(LatencyDir, driver+".hlog") }

// Streams is where a test's ops are recorded until they are merged into its history.
func (d Dir) Streams(test string) string { return filepath.Join(string(d), StreamDir, test) }

// Logs is the directory of the servers' and clients' logs.
func (d Dir) Logs() string { return filepath.Join(string(d), LogDir) }

// WriteRun saves run.json, replacing an earlier one in one step.
func (d Dir) WriteRun(r *Run) error { return d.writeJSON(RunFile, r) }

// WriteVerdicts saves verdict.json, replacing an earlier one in one step.
func (d Dir) WriteVerdicts(v *Verdicts) error { return d.writeJSON(VerdictFile, v) }

func (d Dir) writeJSON(name string, v any) error {
	return d.Write(name, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// Write saves one of the run's own files, which may lie in a directory of its own, through write: a reader, also one
// after a crash of the host, finds the old file or the new one and never a part.
func (d Dir) Write(name string, write func(io.Writer) error) (err error) {
	path := d.File(name)
	if filepath.Dir(name) != "." {
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("write %s: %w", path, disk.Advise(err))
		}
	}
	f, err := disk.CreateTemp(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, disk.Advise(err))
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, disk.Advise(err))
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	for _, step := range []func() error{func() error { return write(f) }, func() error { return f.Chmod(0o644) }, f.Sync} {
		if err == nil {
			err = step()
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr // after another error it says nothing new
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Sweep removes the files that a killed program had not written to their end.
func (d Dir) Sweep() error {
	return errors.Join(disk.SweepTemps(string(d)), disk.SweepTemps(d.File(HistoryDir)), disk.SweepTemps(d.File(LatencyDir)))
}

// syncDir makes a rename in the directory durable. Windows cannot flush a directory.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
