package local

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestMain lets the test program be the janitor, and a coordinator that is about to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == JanitorCommand {
		if err := RunJanitor(os.Stdin, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 2 && os.Args[1] == "doomed" {
		if err := doomed(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	if len(os.Args) == 2 && os.Args[1] == "brief" {
		if err := brief(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// doomed starts a server that stays in its session, and one with a child that leaves it, which it suspends; then it
// waits for SIGKILL.
func doomed() error {
	l, err := New()
	if err != nil {
		return err
	}
	dir, err := l.Dir("server", nil)
	if err != nil {
		return err
	}
	var last *process
	for _, script := range []string{"sleep 600", "setsid sleep 601 & trap '' TERM HUP INT; sleep 602"} {
		last, err = l.start(provision.Command{Name: "sleeper", Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Log: filepath.Join(dir, "log")})
		if err != nil {
			return err
		}
	}
	for {
		pids, err := workingBelow(l.scratch)
		if err != nil {
			return err
		}
		if len(pids) >= 4 { // two shells may have become their sleep
			if err := last.Suspend(); err != nil {
				return err
			}
			fmt.Println(l.scratch)
			select {}
		}
		time.Sleep(time.Millisecond)
	}
}

func alive(t *testing.T, scratch string) []int {
	t.Helper()
	pids, err := workingBelow(scratch)
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

func TestSIGKILLLeavesNothing(t *testing.T) {
	cmd := exec.Command(os.Args[0], "doomed")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the coordinator did not start: %v", err)
	}
	scratch := strings.TrimSpace(line)
	if n := len(alive(t, scratch)); n < 4 {
		t.Fatalf("%d processes before the kill, want 4", n)
	}
	must.Succeed(t, cmd.Process.Kill())
	_ = cmd.Wait()
	must.Eventually(t, "every process is gone", func() bool { return len(alive(t, scratch)) == 0 })
	must.Eventually(t, "the scratch directory is gone", func() bool {
		_, err := os.Stat(scratch)
		return errors.Is(err, os.ErrNotExist)
	})
}

func host(t *testing.T) *Host {
	t.Helper()
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// shell starts a shell on a host of its own, with a script.
func shell(t *testing.T, name, script string) (*Host, *process) {
	t.Helper()
	l := host(t)
	dir, err := l.Dir("x", nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.start(provision.Command{Name: name, Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	return l, p
}

func TestCloseEndsEverything(t *testing.T) {
	l, p := shell(t, "stubborn", "trap '' TERM; setsid sleep 600 & sleep 600")
	must.Succeed(t, l.Close())
	select {
	case <-p.Exited():
	default:
		t.Error("the process was not reaped")
	}
	if pids := alive(t, l.scratch); len(pids) > 0 {
		t.Errorf("left behind: %v", pids)
	}
	if _, err := os.Stat(l.scratch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("scratch directory: %v", err)
	}
	if _, err := l.start(provision.Command{Name: "late", Path: "/bin/true", Dir: filepath.Join(l.scratch, "x"), Log: filepath.Join(t.TempDir(), "log")}); err == nil {
		t.Error("a process was started after the end")
	}
}

func TestErrCarriesTheLastLogLines(t *testing.T) {
	_, p := shell(t, "redis n1", "echo first; echo Address already in use >&2; exit 3")
	<-p.Exited()
	for _, want := range []string{"redis n1", "exit status 3", "Address already in use"} {
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	l, p := shell(t, "deaf", "trap '' TERM; echo ready; while :; do sleep 600; done")
	must.Eventually(t, "the trap is set", func() bool { return p.LogTail(1) == "ready" })
	if err := p.signalGroup(syscall.SIGSTOP); err != nil { // a paused server must not outlive the run either
		t.Fatal(err)
	}
	must.Succeed(t, p.Stop(50*time.Millisecond))
	must.Eventually(t, "its child is gone", func() bool { return len(alive(t, l.scratch)) == 0 })
}

func TestAddressesAreUnique(t *testing.T) {
	l := host(t)
	seen := map[string]bool{}
	for i := range 600 {
		addrs, err := l.Addresses(strconv.Itoa(i), 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range addrs {
			if seen[a] {
				t.Fatalf("%s was given out twice", a)
			}
			seen[a] = true
		}
	}
}

func TestRefusals(t *testing.T) {
	l := host(t)
	if _, err := l.Dir("../outside", nil); err == nil {
		t.Error("a directory outside the scratch directory was made")
	}
	if _, err := l.start(provision.Command{Name: "x", Path: "/bin/true", Dir: "/", Log: filepath.Join(t.TempDir(), "log")}); err == nil {
		t.Error("a process was started where the janitor does not look")
	}
	if err := sweep(t.TempDir()); err == nil {
		t.Error("a directory that is no scratch directory was removed")
	}
}

// TestOddTMPDIR: whatever TMPDIR is, the scratch directory has one path for all, and is gone in the end.
func TestOddTMPDIR(t *testing.T) {
	above := t.TempDir()
	must.Succeed(t, os.Chmod(filepath.Dir(above), 0o711))
	must.Succeed(t, os.Mkdir(filepath.Join(above, "a b"), 0o755))
	must.Succeed(t, os.Mkdir(filepath.Join(above, "lockbench-1"), 0o755))
	must.Succeed(t, os.Symlink("a b", filepath.Join(above, "link")))
	t.Chdir(above)
	for _, tmp := range []string{".", "a b", "./link", above + "/link/", "lockbench-1", above + "/a b/../lockbench-1"} {
		t.Setenv("TMPDIR", tmp)
		h, err := New()
		if err != nil {
			t.Fatal(tmp, err)
		}
		dir, err := h.Dir("server", nil)
		if err != nil {
			t.Fatal(tmp, err)
		}
		p, err := h.Start(provision.Command{Name: "server", Path: "/bin/sh", Args: []string{"-c", "sleep 1000 & wait"}, Dir: dir, Log: filepath.Join(above, "log")})
		if err != nil {
			t.Fatal(tmp, err)
		}
		if cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.PID())); err != nil || cwd != dir || !filepath.IsAbs(dir) {
			t.Errorf("%s: the server works in %s, and not in %s (%v)", tmp, cwd, dir, err)
		}
		must.Succeed(t, h.Close())
		if _, err := os.Stat(h.Scratch()); err == nil {
			t.Errorf("%s: %s is left", tmp, h.Scratch())
		}
	}
	t.Setenv("TMPDIR", filepath.Join(above, "nothing"))
	if _, err := New(); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("no directory: %v", err)
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]bool{
		"-D /tmp/lockbench-12/n1": true, "postgres: lockbench-12": true, "postgres: lockbench-123": false, "lockbench-123 lockbench-12 x": true, "": false,
	} {
		if names([]byte(text), "lockbench-12") != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

// TestUserWhoMayNotEnter: a server that runs as another user needs a way to its directory.
func TestUserWhoMayNotEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED, NOT PROVEN: it takes root to run a server as another user")
	}
	closed := filepath.Join(t.TempDir(), "closed")
	must.Succeed(t, os.Mkdir(closed, 0o700))
	t.Setenv("TMPDIR", closed)
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must.Succeed(t, h.Close()) }()
	if _, err := h.Dir("server", &provision.User{UID: 12345, GID: 12345}); err == nil || !strings.Contains(err.Error(), "TMPDIR") {
		t.Errorf("error %v", err)
	}
}

// TestJanitorThatDies: another takes over, and somebody hears of it.
func TestJanitorThatDies(t *testing.T) {
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1)
	h.OnTrouble(func(text string) { told <- text })
	pid := func() int {
		h.janitor.mu.Lock()
		defer h.janitor.mu.Unlock()
		return h.janitor.pid
	}
	first := pid()
	must.Succeed(t, syscall.Kill(first, syscall.SIGKILL))
	if text := <-told; !strings.Contains(text, "another has taken over") || pid() == first {
		t.Errorf("it says %q", text)
	}
	must.Succeed(t, h.Close())
	if _, err := os.Stat(h.Scratch()); err == nil {
		t.Errorf("%s is left", h.Scratch())
	}
	h, err = New()
	if err != nil {
		t.Fatal(err)
	}
	h.OnTrouble(func(text string) { told <- text })
	for range maxJanitors {
		must.Succeed(t, syscall.Kill(pid(), syscall.SIGKILL))
		if text := <-told; !strings.Contains(text, "the janitor died (signal: killed)") {
			t.Errorf("it says %q", text)
		}
	}
	if err := h.Close(); err == nil || !strings.Contains(err.Error(), "the janitor failed") {
		t.Errorf("error %v", err)
	}
}
