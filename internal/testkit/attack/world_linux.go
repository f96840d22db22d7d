// Package attack does to runs of lockbench what a machine, an operator and strangers do, and looks at what became of
// them: nothing may be left behind, no op lost, and no lock blamed for it.
package attack

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/internal/procfs"
	"github.com/lockbench/lockbench/internal/results"
)

// patience bounds whatever must happen in the end.
const patience = 90 * time.Second

// world is the surroundings of one attack.
type world struct {
	bin, dir, tmp, out string
	alone              bool
	segments           map[string]bool // of shared memory that were there before
	shared             map[string]bool // files in /dev/shm
}

func newWorld(bin, dir string, alone bool) (*world, error) {
	w := &world{bin: bin, dir: dir, alone: alone, tmp: filepath.Join(dir, "tmp"), out: filepath.Join(dir, "out")}
	for _, d := range []string{w.tmp, w.out} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if w.segments, err = segments(); err != nil {
		return nil, err
	}
	w.shared, err = names("/dev/shm")
	return w, err
}

// event is what an attack needs to know of what a run tells.
type event struct {
	Event string `json:"event"`
	Test  string `json:"test"`
	Text  string `json:"text"`
	Run   struct {
		Dir string `json:"dir"`
	} `json:"run"`
}

// process is a lockbench that runs.
type process struct {
	cmd    *exec.Cmd
	events chan event
	ended  chan struct{}
	said   strings.Builder // on standard error; complete once it has ended
	dir    string          // of the run; known after its first event
}

// scenario is over soon, and has every kind of server in it.
const scenario = `name: attacked
summary: It is short, and has every kind of server in it. It shows what becomes of a run that is attacked.
drivers: [redis-setnx, etcd, zookeeper, postgres-row]
workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 2ms..10ms, think: 5ms..15ms, acquire-timeout: 1s, fencing: unfenced, lost: heeding}
phases:
  - {name: calm, for: 1500ms}
  - {name: cut, for: 500ms, faults: [{name: partition, target: c2}]}
  - {name: healed, for: 1500ms}
require: {grants: 2, attempts: 0, allowance: 6s}
`

// start starts a run. env is added to the environment, and takes precedence.
func (w *world) start(env []string, args ...string) (*process, error) {
	file := filepath.Join(w.dir, "attacked.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o644); err != nil {
		return nil, err
	}
	args = append([]string{"run", "--scenario", file, "--json", "--seed", "1", "--out", w.out}, args...)
	p := &process{cmd: exec.Command(w.bin, args...), events: make(chan event, 4096), ended: make(chan struct{})}
	p.cmd.Dir = w.dir
	p.cmd.Env = append(append(os.Environ(), "TMPDIR="+w.tmp), env...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	var read sync.WaitGroup
	read.Go(func() { _, _ = io.Copy(&p.said, stderr) })
	read.Go(func() {
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				p.events <- e
			}
		}
		close(p.events)
	})
	go func() {
		read.Wait()
		_ = p.cmd.Wait() // its exit code is asked for
		close(p.ended)
	}()
	return p, nil
}

// await waits for the n-th event, from 1, that counts.
func (p *process) await(n int, counts func(event) bool) (event, error) {
	bound := time.After(patience)
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				return e, errors.New("it ended before the event came")
			}
			if e.Run.Dir != "" {
				p.dir = e.Run.Dir
			}
			if counts(e) {
				if n--; n == 0 {
					return e, nil
				}
			}
		case <-bound:
			return event{}, fmt.Errorf("the event did not come within %v", patience)
		}
	}
}

func of(kind string) func(event) bool { return func(e event) bool { return e.Event == kind } }

// finish waits for the end and returns the exit code: −1 if a signal ended it. Notes are what was told meanwhile.
func (p *process) finish() (code int, notes []string, err error) {
	bound := time.After(patience)
	events := p.events
	for {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
			}
			if e.Run.Dir != "" {
				p.dir = e.Run.Dir
			}
			if e.Event == "note" {
				notes = append(notes, e.Text)
			}
		case <-p.ended:
			return p.cmd.ProcessState.ExitCode(), notes, nil
		case <-bound:
			_ = p.cmd.Process.Kill()
			return -1, notes, fmt.Errorf("it did not end within %v; it said: %s", patience, tail(p.said.String()))
		}
	}
}

// child finds a process of the run whose command line has all these texts.
func (p *process) child(texts ...string) (int, error) {
	family, err := procfs.Family(p.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	for _, m := range family {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", m.PID))
		if err != nil || m.PID == p.cmd.Process.Pid {
			continue
		}
		if !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(string(line), t) }) {
			return m.PID, nil
		}
	}
	return 0, fmt.Errorf("no process of the run has %q in its command line", texts)
}

// check runs lockbench check on the run's directory.
func (w *world) check(ctx context.Context, dir string) (code int, said string, err error) {
	cmd := exec.CommandContext(ctx, w.bin, "check", dir)
	cmd.Dir, cmd.Env = w.dir, append(os.Environ(), "TMPDIR="+w.tmp)
	b, err := cmd.CombinedOutput()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		return failed.ExitCode(), string(b), nil
	}
	return 0, string(b), err
}

// recorded counts the ops that are in the streams of a run that was killed, by test.
func recorded(dir string) (map[string]int, error) {
	counts := map[string]int{}
	tests, err := os.ReadDir(filepath.Join(dir, results.StreamDir))
	if errors.Is(err, fs.ErrNotExist) {
		return counts, nil
	}
	for _, t := range tests {
		files, err := recorder.Streams(results.Dir(dir).Streams(t.Name()), "")
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			ops, _, err := recorder.Ops(f)
			if err != nil {
				return nil, err
			}
			counts[t.Name()] += len(ops)
		}
	}
	return counts, err
}

// lines counts the lines of a test's history.
func lines(dir, test string) (int, error) {
	b, err := os.ReadFile(results.Dir(dir).History(test))
	return strings.Count(string(b), "\n"), err
}

// leftovers waits until nothing of the runs is left, and says what still is if that does not come. results says that
// nothing half-written may be among the results: of a program that was killed, only a check can remove that.
func (w *world) leftovers(results bool) error {
	var left []string
	for deadline := time.Now().Add(patience / 3); ; time.Sleep(50 * time.Millisecond) { // nobody announces the end of orphans
		var err error
		if left, err = w.left(results); err != nil {
			return err
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("left behind: %s", strings.Join(left, ", "))
		}
	}
}

func (w *world) left(results bool) ([]string, error) {
	var left []string
	entries, err := os.ReadDir(w.tmp)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		left = append(left, filepath.Join(w.tmp, e.Name()))
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, p := range processes {
		cwd, _ := os.Readlink(filepath.Join(p, "cwd"))
		if pid, _ := strconv.Atoi(filepath.Base(p)); strings.HasPrefix(cwd, w.dir+"/") && pid != os.Getpid() {
			left = append(left, "process "+filepath.Base(p))
		}
	}
	memory, err := w.sharedMemory()
	if err != nil {
		return nil, err
	}
	left = append(left, memory...)
	if !results {
		return left, nil
	}
	err = filepath.WalkDir(w.out, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), ".") {
			left = append(left, path)
		}
		return err
	})
	return left, err
}

// sharedMemory lists what is new of it.
func (w *world) sharedMemory() ([]string, error) {
	if !w.alone {
		return nil, nil
	}
	var left []string
	now, err := segments()
	if err != nil {
		return nil, err
	}
	for s := range now {
		if !w.segments[s] {
			left = append(left, "shared memory "+s)
		}
	}
	shared, err := names("/dev/shm")
	for s := range shared {
		if !w.shared[s] {
			left = append(left, "/dev/shm/"+s)
		}
	}
	return left, err
}

// segments lists the System V segments that nobody uses.
func segments() (map[string]bool, error) {
	const id, attached = 1, 6 // columns of /proc/sysvipc/shm
	b, err := os.ReadFile("/proc/sysvipc/shm")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	all := map[string]bool{}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) > attached && f[attached] == "0" {
			all[f[id]] = true
		}
	}
	return all, err
}

func names(dir string) (map[string]bool, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	all := map[string]bool{}
	for _, e := range entries {
		all[e.Name()] = true
	}
	return all, err
}

func tail(s string) string {
	const longest = 400
	s = strings.TrimSpace(s)
	return s[max(0, len(s)-longest):]
}

func signal(pid int, s syscall.Signal) error {
	if err := syscall.Kill(pid, s); err != nil {
		return fmt.Errorf("send %v to process %d: %w", s, pid, err)
	}
	return nil
}
