package clocks

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/procfs"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

const year = 365 * 24 * time.Hour

// offsets are those that a clock goes through, one after the other, some of them before 1970.
func offsets() []time.Duration {
	return []time.Duration{
		3 * time.Hour, -26*time.Hour - 700*time.Millisecond, time.Hour - 1, -time.Hour + 1, 30 * year, -100 * year, 0, 2 * time.Hour,
	}
}

func TestClocks(t *testing.T) {
	needClocks(t)
	for _, program := range []struct {
		name    string
		start   func() *child
		offsets []time.Duration
	}{
		{"Go", func() *child { return goChild(t, "clock-child") }, offsets()},
		// Those take it beyond 2262, where an int64 of nanoseconds ends; a time.Time after 2157 has no monotonic part.
		{"libc", func() *child { return perlChild(t, perlClocks) }, append(offsets(), math.MaxInt64, math.MinInt64)},
	} {
		t.Run(program.name, func(t *testing.T) {
			c := program.start()
			expect(t, c, 0, false)
			for range 2 {
				for _, offset := range program.offsets {
					must.Succeed(t, Set(c.pid(), offset))
					expect(t, c, offset, true)
				}
				for range 2 {
					must.Succeed(t, Undo(c.pid()))
					expect(t, c, 0, false)
				}
			}
		})
	}
}

// expect fails the test unless the child's clocks are ahead by the offset, and Offset says so.
func expect(t *testing.T, c *child, offset time.Duration, patched bool) {
	t.Helper()
	if got, p, err := Offset(c.pid()); err != nil || got != offset || p != patched {
		t.Errorf("offset %v, patched: %v, %v; want %v, %v", got, p, err, offset, patched)
	}
	if err := c.check("", offset); err != nil {
		t.Error(err)
	}
}

// A prologue that cannot be moved is not executed: the true clock then comes from the kernel.
func TestUnknownPrologue(t *testing.T) {
	needClocks(t)
	c := perlChild(t, perlClocks)
	err := patch(c.pid(), func(target *target) error {
		target.originals[0] = []byte("\x90\x90\x90\x90\x90\x90\x90\x90") // nop
		return target.redirect(2 * time.Hour)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.check("", 2*time.Hour); err != nil {
		t.Error(err)
	}
}

func TestChildrenInherit(t *testing.T) {
	needClocks(t)
	c := perlChild(t, perlClocks)
	must.Succeed(t, Set(c.pid(), 5*time.Hour))
	if err := c.check("fork", 5*time.Hour); err != nil {
		t.Error(err)
	}
}

func TestRunningDescendants(t *testing.T) {
	needClocks(t)
	c := perlChild(t, perlClocks)
	for range 2 { // from now on a child answers, then a grandchild
		must.Succeed(t, c.check("fork", 0))
	}
	for _, offset := range []time.Duration{7 * time.Hour, -7 * time.Hour} {
		must.Succeed(t, Set(c.pid(), offset))
		expect(t, c, offset, true)
	}
	if err := c.check("fork", -7*time.Hour); err != nil {
		t.Error(err)
	}
	must.Succeed(t, Undo(c.pid()))
	expect(t, c, 0, false)
}

// forkStorm answers once, and then has children all the time, which live and have children for a few milliseconds.
const forkStorm = `$| = 1; <STDIN>; print "begun\n"; $SIG{CHLD} = "IGNORE";
while (1) {
	$in = ""; vec($in, 0, 1) = 1;
	last if select($in, undef, undef, 0.001);
	if (!fork) { if (!fork) { select(undef, undef, undef, 0.002); exit } select(undef, undef, undef, 0.003); exit }
}`

func TestChildrenBornMeanwhile(t *testing.T) {
	needClocks(t)
	c := perlChild(t, forkStorm)
	if _, err := c.ask(""); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		must.Succeed(t, Set(c.pid(), 2*time.Hour))
		expectFamily(t, c.pid(), 2*time.Hour, true)
		must.Succeed(t, Undo(c.pid()))
		expectFamily(t, c.pid(), 0, false)
	}
}

func expectFamily(t *testing.T, pid int, offset time.Duration, patched bool) {
	t.Helper()
	family, err := procfs.Family(pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range family {
		got, is, err := Offset(p.PID)
		if now, errNow := procfs.Read(p.PID); errNow != nil || ends(now) || now.Began != p.Began {
			continue // it ended meanwhile
		}
		if err != nil || got != offset || is != patched {
			t.Errorf("process %d of %d: offset %v, patched: %v, %v; want %v, %v", p.PID, len(family), got, is, err, offset, patched)
		}
	}
}

func TestStoppedRemainsStopped(t *testing.T) {
	needClocks(t)
	for name, start := range map[string]func() *child{
		"one thread":   func() *child { return perlChild(t, perlClocks) },
		"many threads": func() *child { return goChild(t, "clock-child") },
	} {
		t.Run(name, func(t *testing.T) {
			c := start()
			if err := c.check("", 0); err != nil { // it is past its start
				t.Fatal(err)
			}
			must.Succeed(t, syscall.Kill(c.pid(), syscall.SIGSTOP))
			await(t, c.pid(), 'T')
			for range 2 {
				if err := Set(c.pid(), 4*time.Hour); err != nil {
					t.Error(err)
				}
				await(t, c.pid(), 'T')
				if err := Undo(c.pid()); err != nil {
					t.Error(err)
				}
				await(t, c.pid(), 'T')
			}
			if err := Set(c.pid(), 4*time.Hour); err != nil {
				t.Error(err)
			}
			await(t, c.pid(), 'T')
			must.Succeed(t, syscall.Kill(c.pid(), syscall.SIGCONT))
			expect(t, c, 4*time.Hour, true)
		})
	}
}

// A shell that is starting a program waits in the kernel, where no signal stops it.
func TestStoppedWhileAProgramIsStarted(t *testing.T) {
	needClocks(t)
	c := exec.Command("/bin/sh", "-c", "while :; do /bin/true; done")
	must.Succeed(t, c.Start())
	defer func() {
		var ended *exec.ExitError
		if err := c.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := c.Wait(); !errors.As(err, &ended) {
			t.Error(err)
		}
	}()
	for range 20 {
		must.Succeed(t, c.Process.Signal(syscall.SIGSTOP))
		must.Succeed(t, Set(c.Process.Pid, time.Hour))
		await(t, c.Process.Pid, 'T')
		must.Succeed(t, c.Process.Signal(syscall.SIGCONT))
		must.Succeed(t, Undo(c.Process.Pid))
	}
}

// await waits until a process is in a state. One that was let go on by mistake would not come back to it.
func await(t *testing.T, pid int, state byte) {
	t.Helper()
	var got procfs.Process
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var err error
		if got, err = procfs.Read(pid); err != nil {
			t.Fatal(err)
		}
		if got.State == state {
			return
		}
	}
	t.Fatalf("process %d is %c, want %c", pid, got.State, state)
}

func TestUnprivileged(t *testing.T) {
	needClocks(t)
	if os.Getuid() != 0 { // then all tests are
		if err := skewOwnChild(); err != nil {
			t.Error(err)
		}
		return
	}
	const nobody = 65534
	helper := exec.Command("/proc/self/exe", "unprivileged")
	helper.Dir = "/"
	helper.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := helper.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func skewOwnChild() error {
	c, err := startChild("/proc/self/exe", "clock-child")
	if err != nil {
		return err
	}
	err = func() error {
		if err := Set(c.pid(), 6*time.Hour); err != nil {
			return err
		}
		if err := c.check("", 6*time.Hour); err != nil {
			return err
		}
		if err := Undo(c.pid()); err != nil {
			return err
		}
		if err := c.check("", 0); err != nil {
			return err
		}
		if err := Set(1, time.Hour); err == nil {
			return fmt.Errorf("an unprivileged user skewed process 1")
		}
		return nil
	}()
	return errors.Join(err, c.end())
}

func TestProcessesThatCannotBeSkewed(t *testing.T) {
	needClocks(t)
	gone := exec.Command("true")
	must.Succeed(t, gone.Run())
	for _, c := range []struct {
		name string
		pid  int
		// done is whether the error is os.ErrProcessDone, and undo is then no error.
		done bool
	}{
		{"ended", gone.Process.Pid, true},
		{"none", math.MaxInt32, true},
		{"itself", os.Getpid(), false},
		{"an ancestor", os.Getppid(), false},
	} {
		err := Set(c.pid, time.Hour)
		if err == nil || errors.Is(err, os.ErrProcessDone) != c.done {
			t.Errorf("%s: set: %v", c.name, err)
		}
		if err := Undo(c.pid); (err == nil) != c.done {
			t.Errorf("%s: undo: %v", c.name, err)
		}
		if _, patched, err := Offset(c.pid); patched || (err == nil) == c.done {
			t.Errorf("%s: patched: %v, %v", c.name, patched, err)
		}
	}
}

func TestKernelThread(t *testing.T) {
	needClocks(t)
	if p, err := procfs.Read(2); err != nil || p.Parent != 0 {
		t.Skipf("SKIPPED, NOT PROVEN: no thread of the kernel is visible from here")
	}
	if err := Set(2, time.Hour); err == nil {
		t.Error("a thread of the kernel was skewed")
	}
	if err := Undo(2); err == nil {
		t.Error("a thread of the kernel was made true again")
	}
}

// A process that ends before its parent has noticed is one that has ended.
func TestZombie(t *testing.T) {
	needClocks(t)
	c := exec.Command("true")
	must.Succeed(t, c.Start())
	await(t, c.Process.Pid, 'Z')
	if err := Set(c.Process.Pid, time.Hour); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("set: %v", err)
	}
	if err := Undo(c.Process.Pid); err != nil {
		t.Errorf("undo: %v", err)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
