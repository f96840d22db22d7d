package agent

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
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
	os.Exit(m.Run())
}

// doomed starts a server that stays in its session, and one with a child that leaves it, which it suspends; then it
// waits for SIGKILL.
func doomed() error {
	l, err := NewLocal()
	if err != nil {
		return err
	}
	dir, err := l.Dir("server")
	if err != nil {
		return err
	}
	var last *Process
	for _, script := range []string{"sleep 600", "setsid sleep 601 & trap '' TERM HUP INT; sleep 602"} {
		last, err = l.Start(Command{Name: "sleeper", Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Log: filepath.Join(dir, "log")})
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

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestSIGKILLLeavesNothing(t *testing.T) {
	cmd := exec.Command(os.Args[0], "doomed")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the coordinator did not start: %v", err)
	}
	scratch := strings.TrimSpace(line)
	if n := len(alive(t, scratch)); n < 4 {
		t.Fatalf("%d processes before the kill, want 4", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "every process is gone", func() bool { return len(alive(t, scratch)) == 0 })
	eventually(t, "the scratch directory is gone", func() bool {
		_, err := os.Stat(scratch)
		return errors.Is(err, os.ErrNotExist)
	})
}

func local(t *testing.T) *Local {
	t.Helper()
	l, err := NewLocal()
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

func TestCloseEndsEverything(t *testing.T) {
	l := local(t)
	dir, err := l.Dir("x")
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Start(Command{Name: "stubborn", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; setsid sleep 600 & sleep 600"}, Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
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
	if _, err := l.Start(Command{Name: "late", Path: "/bin/true", Dir: l.scratch, Log: filepath.Join(t.TempDir(), "log")}); err == nil {
		t.Error("a process was started after the end")
	}
}

func TestErrCarriesTheLastLogLines(t *testing.T) {
	l := local(t)
	dir, err := l.Dir("x")
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Start(Command{Name: "redis n1", Path: "/bin/sh", Args: []string{"-c", "echo first; echo Address already in use >&2; exit 3"}, Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
	for _, want := range []string{"redis n1", "exit status 3", "Address already in use"} {
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	l := local(t)
	dir, err := l.Dir("x")
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Start(Command{Name: "deaf", Path: "/bin/sh", Args: []string{"-c", "trap '' TERM; echo ready; while :; do sleep 600; done"}, Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the trap is set", func() bool { return p.LogTail(1) == "ready" })
	if err := p.SignalGroup(syscall.SIGSTOP); err != nil { // a paused server must not outlive the run either
		t.Fatal(err)
	}
	if err := p.Stop(syscall.SIGTERM, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its child is gone", func() bool { return len(alive(t, l.scratch)) == 0 })
}

func TestAddressesAreUnique(t *testing.T) {
	l := local(t)
	seen := map[string]bool{}
	for i := range 600 {
		a, err := l.Address(strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		if seen[a] {
			t.Fatalf("%s was given out twice", a)
		}
		seen[a] = true
	}
}

func TestAgentsShareNoNetwork(t *testing.T) {
	seen := map[int]bool{}
	for range 5 {
		n := local(t).network.octet
		if seen[n] {
			t.Fatalf("127.%d.0.0/16 was given to two agents", n)
		}
		seen[n] = true
	}
	l := local(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.network.claim.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed agent keeps its network: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	l := local(t)
	if _, err := l.Dir("../outside"); err == nil {
		t.Error("a directory outside the scratch directory was made")
	}
	if _, err := l.Start(Command{Name: "x", Path: "/bin/true", Dir: "/", Log: filepath.Join(t.TempDir(), "log")}); err == nil {
		t.Error("a process was started where the janitor does not look")
	}
	if err := sweep(t.TempDir()); err == nil {
		t.Error("a directory that is no scratch directory was removed")
	}
}
