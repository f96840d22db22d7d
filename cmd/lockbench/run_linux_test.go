package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// patience bounds whatever must happen in the end.
const patience = 60 * time.Second

func TestExitCodes(t *testing.T) {
	empty := write(t, "empty.jsonl", "")
	for name, tt := range map[string]struct {
		args []string
		want int
	}{
		"help":             {[]string{"--help"}, exitValid},
		"version":          {[]string{"version"}, exitValid},
		"unknown command":  {[]string{"frobnicate"}, exitUsage},
		"unknown flag":     {[]string{"run", "--nosuch"}, exitUsage},
		"unknown scenario": {[]string{"run", "--scenario", "nosuch"}, exitUsage},
		"unknown driver":   {[]string{"run", "--scenario", "partition", "--driver", "nosuch"}, exitUsage},
		"bad flag value":   {[]string{"run", "--scenario", "partition", "--ttl", "soon"}, exitUsage},
		"too many args":    {[]string{"version", "please"}, exitUsage},
		"no such history":  {[]string{"check", "nosuch.jsonl"}, exitUsage},
		"not a run":        {[]string{"check", "testdata"}, exitUsage},
		"not a run either": {[]string{"report", "testdata"}, exitUsage},
		"a violation":      {[]string{"check", "../../examples/history.jsonl"}, exitViolation},
		"nothing known":    {[]string{"check", empty}, exitUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := program(t.Context(), nil, &out, &errs, tt.args); got != tt.want {
				t.Errorf("exit code %d, want %d\n%s%s", got, tt.want, &out, &errs)
			}
			if tt.want == exitUsage && errs.Len() == 0 {
				t.Error("it does not say why")
			}
		})
	}
}

// process is a lockbench that is not started yet, with a scratch directory of its own.
type process struct {
	*exec.Cmd
	t            *testing.T
	tmp, out     string
	stdout, said bytes.Buffer
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	_, err := servers.Redis{}.Detect(t.Context(), local.Programs{})
	testenv.NeedServer(t, err)
	return lockbench(t, args...)
}

// lockbench is the program in a process of its own, which needs no server.
func lockbench(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, tmp: t.TempDir(), out: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "lockbench")
	must.Succeed(t, os.Symlink(self, bin))
	// testscript.Main acts as the command whose name the program was started under.
	p.Cmd = &exec.Cmd{Path: bin, Args: append([]string{"lockbench"}, args...), Env: append(os.Environ(), "TMPDIR="+p.tmp)}
	p.Stdout, p.Stderr = &p.stdout, &p.said
	return p
}

func partition(t *testing.T, extra ...string) *process {
	p := start(t)
	p.Args = append(p.Args, append([]string{
		"run", "--scenario", "partition", "--driver", "redis-setnx", "--fencing", "unfenced", "--lost", "ignoring",
		"--duration", "200ms", "--ttl", "1s", "--seed", "1", "--out", p.out,
	}, extra...)...)
	return p
}

func (p *process) exitCode() int {
	p.t.Helper()
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// dir waits for the run's directory.
func (p *process) dir() string {
	p.t.Helper()
	var found []string
	must.Eventually(p.t, "the run makes its directory", func() bool {
		found, _ = filepath.Glob(filepath.Join(p.out, "*-partition"))
		return len(found) == 1
	})
	return found[0]
}

// injected waits until a fault is in force.
func (p *process) injected() {
	p.t.Helper()
	must.Eventually(p.t, "a fault is injected", func() bool {
		streams, _ := filepath.Glob(filepath.Join(p.dir(), results.StreamDir, "*", "nemesis.stream"))
		for _, s := range streams {
			if b, err := os.ReadFile(s); err == nil && bytes.Contains(b, []byte(`"type":"ok","f":"partition"`)) {
				return true
			}
		}
		return false
	})
}

// nothingLeft waits until the run's scratch directory is gone, which the janitor removes after the last process.
func (p *process) nothingLeft() {
	p.t.Helper()
	must.Eventually(p.t, "the scratch directory is removed", func() bool {
		left, _ := filepath.Glob(filepath.Join(p.tmp, "lockbench-*"))
		return len(left) == 0
	})
	processes, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, link := range processes {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, p.tmp) {
			p.t.Errorf("%s still works in %s", link, cwd)
		}
	}
}

func (p *process) load() results.Saved {
	p.t.Helper()
	saved, err := results.Load(p.dir())
	if err != nil {
		p.t.Fatal(err)
	}
	return saved
}

func TestRun(t *testing.T) {
	t.Parallel()
	p := partition(t)
	must.Succeed(t, p.Start())
	if code := p.exitCode(); code != exitViolation {
		t.Fatalf("exit code %d, want %d\n%s", code, exitViolation, &p.said)
	}
	p.nothingLeft()
	for _, file := range []string{results.RunFile, results.ScheduleFile, results.VerdictFile, results.SummaryFile, results.ReportFile} {
		if st, err := os.Stat(filepath.Join(p.dir(), file)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
	if !strings.Contains(p.stdout.String(), "INVALID") || strings.Contains(p.stdout.String()+p.said.String(), "\x1b") {
		t.Errorf("the table does not say INVALID, or has control characters:\n%s", &p.stdout)
	}
	saved := p.load()
	if saved.Run.Status != results.Complete || saved.Run.Seed != 1 || saved.Run.Drivers[0].Version == "" || saved.Run.ProxyCost.ProxyP50 == 0 {
		b, _ := json.Marshal(saved.Run)
		t.Errorf("run.json: %s", b)
	}
}

func TestSIGKILLLeavesNothingButTheHistory(t *testing.T) {
	t.Parallel()
	p := partition(t)
	must.Succeed(t, p.Start())
	p.injected()
	must.Succeed(t, p.Process.Signal(syscall.SIGKILL))
	p.exitCode()
	p.nothingLeft()
	// What every worker had recorded is judged all the same. A file that was being written goes.
	torn := filepath.Join(p.dir(), "."+results.RunFile+".1")
	must.Succeed(t, os.WriteFile(torn, []byte("{"), 0o600))
	var out, errs bytes.Buffer
	if code := program(context.Background(), nil, &out, &errs, []string{"check", p.dir()}); code == exitUsage || code == exitInternal {
		t.Fatalf("exit code %d\n%s", code, &errs)
	}
	if _, err := os.Stat(torn); err == nil {
		t.Errorf("%s is left", torn)
	}
	saved := p.load()
	if len(saved.Verdicts.Tests) != 1 || saved.Verdicts.Tests[0].Result.Counts.Grants == 0 {
		t.Errorf("verdicts: %+v", saved.Verdicts.Tests)
	}
	// It is incomplete, and nothing says that it did not run; the phases are known, also those that were to come.
	test, driver := saved.Run.Tests[0], saved.Run.Drivers[0]
	if test.Status != results.Incomplete || len(test.Phases) == 0 || driver.Status != results.Incomplete || strings.Contains(out.String(), "did not run:") {
		t.Errorf("%s, phases %+v, the driver %s: %s", test.Status, test.Phases, driver.Status, &out)
	}
}

func TestUnwritableOut(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	must.Succeed(t, os.WriteFile(file, nil, 0o600))
	p := partition(t, "--out", filepath.Join(file, "results"))
	must.Succeed(t, p.Start())
	if code := p.exitCode(); code != exitInternal {
		t.Errorf("exit code %d, want %d", code, exitInternal)
	}
	if lines := strings.Count(p.said.String(), "\n"); lines > 2 || !strings.Contains(p.said.String(), "--out") {
		t.Errorf("it says:\n%s", &p.said)
	}
	p.nothingLeft()
}

// TestNoPlaceForServers: a run that cannot begin says so in one line, and leaves no directory.
func TestNoPlaceForServers(t *testing.T) {
	t.Parallel()
	p := partition(t)
	p.Env = append(p.Env, "TMPDIR="+filepath.Join(p.tmp, "nothing"))
	must.Succeed(t, p.Start())
	if code := p.exitCode(); code != exitInternal {
		t.Errorf("exit code %d, want %d", code, exitInternal)
	}
	if strings.Count(p.said.String(), "\n") != 1 || !strings.Contains(p.said.String(), "TMPDIR") {
		t.Errorf("it says:\n%s", &p.said)
	}
	if left, err := os.ReadDir(p.out); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	small := t.TempDir()
	if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(small, unix.MNT_DETACH) })
	p := partition(t, "--out", small)
	must.Succeed(t, p.Start())
	if code := p.exitCode(); code != exitInternal {
		t.Errorf("exit code %d, want %d", code, exitInternal)
	}
	lines := strings.Split(strings.TrimSpace(p.said.String()), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, "no space left") || !strings.Contains(last, "make room, or choose another disk with --out") {
		t.Errorf("it says:\n%s", &p.said)
	}
	p.nothingLeft()
}

// TestServerThatDiesAtStart puts a redis-server on PATH that fails: its last words are in the message, and the
// other drivers run.
func TestServerThatDiesAtStart(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	script := "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'Redis server v=0.0.0'; exit; }\necho 'Address already in use: boom' >&2\nexit 1\n"
	must.Succeed(t, os.WriteFile(filepath.Join(bin, "redis-server"), []byte(script), 0o755))
	p := partition(t, "--driver", "redis-setnx,etcd", "--ttl", "2s")
	p.Env = append(p.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	must.Succeed(t, p.Start())
	if code := p.exitCode(); code != exitInternal {
		t.Errorf("exit code %d, want %d", code, exitInternal)
	}
	if !strings.Contains(p.said.String(), "boom") {
		t.Errorf("its last log line is missing:\n%s", &p.said)
	}
	p.nothingLeft()
	for _, d := range p.load().Run.Drivers {
		if want := map[string]results.Status{"redis-setnx": results.Failed, "etcd": results.Complete}[d.Name]; d.Status != want {
			t.Errorf("%s: %s, want %s", d.Name, d.Status, want)
		}
	}
}

// TestMissingServer takes redis-server off PATH: the row is not run, with what to install, and never looks safe.
func TestMissingServer(t *testing.T) {
	t.Parallel()
	p := partition(t)
	p.Env = append(p.Env, "PATH="+t.TempDir())
	must.Succeed(t, p.Start())
	if code := p.exitCode(); code != exitUnknown {
		t.Errorf("exit code %d, want %d", code, exitUnknown)
	}
	if !strings.Contains(p.stdout.String(), "not run") || !strings.Contains(p.stdout.String(), "apt-get install redis-server") || strings.Contains(p.stdout.String(), "g  valid") || strings.Contains(p.stdout.String(), "d valid") {
		t.Errorf("the table says:\n%s", &p.stdout)
	}
	p.nothingLeft()
}
