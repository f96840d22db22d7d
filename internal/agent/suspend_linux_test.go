package agent

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/procfs"
)

// A family is a shell, a child in its group, and a child that leads a session of its own.
func family(t *testing.T) *Process {
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
	dir, err := l.Dir("family")
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Start(Command{Name: "family", Path: "/bin/sh", Args: []string{"-c", "sleep 600 & setsid sleep 601 & wait"}, Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		members, err := p.family()
		if err != nil {
			t.Fatal(err)
		}
		apart := 0
		for _, m := range members {
			if m.Group != p.PID() {
				apart++
			}
		}
		if len(members) == 3 && apart == 1 {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("the family never had three members: %v", members)
		}
	}
}

func states(t *testing.T, p *Process) string {
	t.Helper()
	members, err := p.family()
	if err != nil {
		t.Fatal(err)
	}
	stopped := ""
	for _, m := range members {
		if m.State == 'T' {
			stopped += "T"
		} else {
			stopped += "-"
		}
	}
	return stopped
}

func TestSuspendStopsTheWholeFamily(t *testing.T) {
	p := family(t)
	for range 2 {
		if err := p.Suspend(); err != nil {
			t.Fatal(err)
		}
		if got := states(t, p); got != "TTT" || !p.Suspended() {
			t.Errorf("after Suspend: %s", got)
		}
	}
	for range 2 {
		if err := p.Continue(); err != nil {
			t.Fatal(err)
		}
		if got := states(t, p); got != "---" || p.Suspended() {
			t.Errorf("after Continue: %s", got)
		}
	}
}

// A shell that is starting a program waits in the kernel, where no signal stops it.
func TestSuspendWhileAProgramIsStarted(t *testing.T) {
	l, err := NewLocal()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir, err := l.Dir("starter")
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Start(Command{Name: "starter", Path: "/bin/sh", Args: []string{"-c", "while :; do /bin/true; done"}, Dir: dir, Log: filepath.Join(dir, "log")})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if err := p.Suspend(); err != nil {
			t.Fatal(err)
		}
		if err := p.Continue(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKillFamily(t *testing.T) {
	p := family(t)
	if err := p.Suspend(); err != nil {
		t.Fatal(err)
	}
	members, err := p.family()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.KillFamily(); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if now, err := procfs.Read(m.PID); err == nil && now.Began == m.Began && now.State != 'Z' {
			t.Errorf("process %d is still there, in state %c", m.PID, now.State)
		}
	}
	if err := p.Continue(); err != nil {
		t.Errorf("continue what is gone: %v", err)
	}
	if p.Suspend() == nil {
		t.Error("what is gone was suspended")
	}
}
