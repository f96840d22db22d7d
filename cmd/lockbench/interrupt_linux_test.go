package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestInterruptOfWhatIsStuck: one signal ends what only reads and writes, where no context reaches: here, in a write
// to a pipe that nobody empties.
func TestInterruptOfWhatIsStuck(t *testing.T) {
	t.Parallel()
	run := write(t, "run.json", `{"format": 1, "scenario": "partition", "status": "complete"}`)
	for _, args := range [][]string{
		{"report", filepath.Dir(run), "--format", "html"}, {"compare", filepath.Dir(run), filepath.Dir(run), "--format", "html"},
		{"check", shared(t), "--format", "json", "--explain"}, {"export", shared(t)}, {"schema"},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(fmt.Sprint(args[0], " ", sig), func(t *testing.T) {
				t.Parallel()
				p := lockbench(t, args...)
				reader, writer, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer reader.Close()
				if _, err := unix.FcntlInt(writer.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
					t.Fatal(err)
				}
				p.Stdout = writer
				must.Succeed(t, p.Start())
				writer.Close()
				defer time.AfterFunc(patience, func() { _ = p.Process.Kill() }).Stop() // the exit code tells
				if _, err := reader.Read(make([]byte, 1)); err != nil {
					t.Fatal(err, &p.said)
				}
				must.Succeed(t, p.Process.Signal(sig))
				if code := p.exitCode(); code != exitInterrupted || p.said.String() != "lockbench: interrupted\n" {
					t.Errorf("exit code %d, want %d; it says %q", code, exitInterrupted, &p.said)
				}
			})
		}
	}
}

// shared is a history of a lock that a hundred clients hold at once, which takes more than a page to tell.
func shared(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for i, f := range []string{"acquire", "release"} {
		for n := range 100 {
			for _, typ := range []string{"invoke", "ok"} {
				fmt.Fprintf(&b, `{"time":%d,"client":"c%d","process":%d,"type":"%s","f":"%s","lock":"a","grant":%d}`+"\n", 100*i+n, n, n, typ, f, n+1)
			}
		}
	}
	return write(t, "shared.jsonl", b.String())
}

// stubborn puts a redis-server on PATH that does not stop when it is asked to, so that an orderly stop takes its time.
func (p *process) stubborn() {
	p.t.Helper()
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		p.t.Fatal(err)
	}
	bin := p.t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\ntrap '' TERM\n%s \"$@\" &\nwait\n", redis)
	if err := os.WriteFile(filepath.Join(bin, "redis-server"), []byte(script), 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.Env = append(p.Env, "PATH="+bin+":"+os.Getenv("PATH"))
}

// interrupts interrupts the process twice or more: signals that arrive together count as one.
func (p *process) interrupts() {
	for range 20 {
		if p.Process.Signal(os.Interrupt) != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestInterruptKeepsWhatThereIs(t *testing.T) {
	t.Parallel()
	p := partition(t)
	must.Succeed(t, p.Start())
	p.injected()
	must.Succeed(t, p.Process.Signal(os.Interrupt))
	if code := p.exitCode(); code != exitInterrupted {
		t.Fatalf("exit code %d, want %d\n%s", code, exitInterrupted, &p.said)
	}
	p.nothingLeft()
	saved := p.load()
	if saved.Run.Status != results.Incomplete || !saved.Judged || len(saved.Verdicts.Tests) == 0 {
		t.Errorf("status %q, judged %v, %d verdicts", saved.Run.Status, saved.Judged, len(saved.Verdicts.Tests))
	}
}

// TestHangUp: a terminal that is closed, by two signals as shells and kernels send them, ends a run in order.
func TestHangUp(t *testing.T) {
	t.Parallel()
	if hangUps := make(chan os.Signal, 1); signal.Ignored(syscall.SIGHUP) { // as below nohup: children would ignore it, too
		signal.Notify(hangUps, syscall.SIGHUP)
		defer signal.Stop(hangUps)
	}
	p := partition(t)
	must.Succeed(t, p.Start())
	p.injected()
	must.Succeed(t, p.Process.Signal(syscall.SIGHUP))
	must.Succeed(t, p.Process.Signal(syscall.SIGHUP))
	p.endedInOrder()
}

// TestReaderThatGoesAway: a run whose events nobody reads any more ends in order.
func TestReaderThatGoesAway(t *testing.T) {
	t.Parallel()
	p := partition(t, "--json")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout = writer
	must.Succeed(t, p.Start())
	writer.Close()
	p.injected()
	reader.Close()
	p.endedInOrder()
}

// endedInOrder waits for the end of an interrupted run, of which everything is saved and nothing else is left.
func (p *process) endedInOrder() {
	p.t.Helper()
	if code := p.exitCode(); code != exitInterrupted {
		p.t.Errorf("exit code %d, want %d\n%s", code, exitInterrupted, &p.said)
	}
	p.nothingLeft()
	if saved := p.load(); !saved.Run.Interrupted() || !saved.Judged || len(saved.Verdicts.Tests) == 0 {
		p.t.Errorf("status %q, judged %v, %d verdicts", saved.Run.Status, saved.Judged, len(saved.Verdicts.Tests))
	}
}

// TestInterruptWhileServersStart: the run is incomplete, for nothing failed, and its report says what its exit code says.
func TestInterruptWhileServersStart(t *testing.T) {
	t.Parallel()
	p := partition(t, "--json")
	bin := t.TempDir()
	script := "#!/bin/sh\n[ \"$1\" = --version ] && { echo 'Redis server v=7.0.0'; exit; }\nexec sleep 1000\n"
	must.Succeed(t, os.WriteFile(filepath.Join(bin, "redis-server"), []byte(script), 0o755))
	p.Env = append(p.Env, "PATH="+bin+":"+os.Getenv("PATH"))
	must.Succeed(t, p.Start())
	must.Eventually(t, "the server starts", func() bool {
		logs, _ := filepath.Glob(filepath.Join(p.dir(), results.LogDir, "*"))
		return len(logs) > 0
	})
	must.Succeed(t, p.Process.Signal(os.Interrupt))
	if code := p.exitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d\n%s", code, exitInterrupted, &p.said)
	}
	p.nothingLeft()
	saved := p.load()
	if d := saved.Run.Drivers[0]; saved.Run.Status != results.Incomplete || d.Status != results.Incomplete || saved.Run.Tests[0].Status != results.NotRun {
		t.Errorf("the run is %s, the driver %s: %s; the test %s", saved.Run.Status, d.Status, d.Reason, saved.Run.Tests[0].Status)
	}
	lines := strings.Split(strings.TrimSpace(p.stdout.String()), "\n")
	var last progress.Event
	must.Succeed(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	agrees(t, last.Result)
}

// TestSecondInterruptLeavesAtOnce, and says where what there is lies, whatever shows the run.
func TestSecondInterruptLeavesAtOnce(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--quiet=false", "--quiet", "--json"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			p := partition(t, flag)
			p.stubborn()
			must.Succeed(t, p.Start())
			p.injected()
			p.interrupts()
			if code := p.exitCode(); code != exitInterrupted {
				t.Errorf("exit code %d, want %d", code, exitInterrupted)
			}
			p.nothingLeft()
			want := "lockbench: ended at once; what there is was saved in " + p.dir() + ": lockbench check " + p.dir() + " judges it\n"
			if n := strings.Count(p.said.String(), want); n != 1 || !strings.HasSuffix(p.said.String(), want) {
				t.Errorf("it says\n%swant\n%s", &p.said, want)
			}
			var errs bytes.Buffer
			if code := program(context.Background(), nil, io.Discard, &errs, []string{"check", p.dir()}); code == exitUsage || code == exitInternal {
				t.Errorf("what it left cannot be judged: exit code %d\n%s", code, &errs)
			}
		})
	}
}

// TestSecondInterruptBeforeThereIsADirectory has nothing to say.
func TestSecondInterruptBeforeThereIsADirectory(t *testing.T) {
	var said bytes.Buffer
	f := &farewell{}
	f.say(&said)
	f.begin(filepath.Join(t.TempDir(), "results"), time.Now(), nil)
	f.say(&said)
	if said.Len() > 0 {
		t.Errorf("it says %q", &said)
	}
}

// TestSecondInterruptAtTheTerminal types Ctrl-C twice: the display goes, and the last line says where the run is.
func TestSecondInterruptAtTheTerminal(t *testing.T) {
	t.Parallel()
	p := partition(t)
	p.stubborn()
	w := p.open(400, 100) // so wide that no path breaks a line
	p.injected()
	w.shows(" elapsed")
	if _, err := io.WriteString(w.master, "\x03"); err != nil {
		t.Fatal(err)
	}
	w.shows("interrupted: faults are being healed")
	if _, err := io.WriteString(w.master, "\x03"); err != nil {
		t.Fatal(err)
	}
	code := p.exitCode()
	w.left()
	s := strings.TrimRight(w.screen(), " \n")
	lines := strings.Split(s, "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); code != exitInterrupted || last != "lockbench: ended at once; what there is was saved in "+p.dir()+": lockbench check "+p.dir()+" judges it" {
		t.Errorf("exit code %d, want %d; the terminal shows\n%s", code, exitInterrupted, s)
	}
	p.nothingLeft()
}

// TestInterruptWhileALockIsAlone: the locks that were measured before it have been under test, and are judged on what
// there is.
func TestInterruptWhileALockIsAlone(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.Args = append(p.Args, "run", "--seed", "1", "--out", p.out, "--scenario", write(t, "alone.yaml", `name: partition
summary: It measures lock after lock.
drivers: [redis-setnx, redis-setnx+renew]
workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 0s, think: 0s, acquire-timeout: 500ms, fencing: unfenced, lost: heeding}
phases: [{name: short, alone: true, for: 100ms, drivers: [redis-setnx]}, {name: long, alone: true, for: 1h, drivers: [redis-setnx+renew]}, {name: last, for: 1s}]
require: {grants: 2, attempts: 0, allowance: 4s}
`))
	must.Succeed(t, p.Start())
	must.Eventually(t, "the second lock is measured", func() bool {
		streams, _ := filepath.Glob(filepath.Join(p.dir(), results.StreamDir, "redis-setnx+renew*", "c1*.stream"))
		return len(streams) > 0
	})
	must.Succeed(t, p.Process.Signal(os.Interrupt))
	if code := p.exitCode(); code != exitInterrupted {
		t.Fatalf("exit code %d, want %d\n%s", code, exitInterrupted, &p.said)
	}
	p.nothingLeft()
	saved := p.load()
	if len(saved.Run.Tests) != 2 || len(saved.Verdicts.Tests) != 2 {
		t.Fatalf("%d tests, %d verdicts", len(saved.Run.Tests), len(saved.Verdicts.Tests))
	}
	for _, test := range saved.Run.Tests {
		if test.Status != results.Incomplete {
			t.Errorf("%s is %q: %s", test.Name, test.Status, test.Reason)
		}
		if _, err := os.Stat(saved.Dir.Streams(test.Name)); err == nil {
			t.Errorf("%s: its streams were not merged", test.Name)
		}
	}
}
