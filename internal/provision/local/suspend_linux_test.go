package local

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/procfs"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// A family is a shell, a child in its group, and a child that leads a session of its own.
func family(t *testing.T) *process {
	t.Helper()
	_, p := shell(t, "family", "sleep 600 & setsid sleep 601 & wait")
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

func states(t *testing.T, p *process) string {
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
		must.Succeed(t, p.Suspend())
		if got := states(t, p); got != "TTT" || !p.Suspended() {
			t.Errorf("after Suspend: %s", got)
		}
	}
	for range 2 {
		must.Succeed(t, p.Continue())
		if got := states(t, p); got != "---" || p.Suspended() {
			t.Errorf("after Continue: %s", got)
		}
	}
}

// A shell that is starting a program waits in the kernel, where no signal stops it.
func TestSuspendWhileAProgramIsStarted(t *testing.T) {
	_, p := shell(t, "starter", "while :; do /bin/true; done")
	for range 200 {
		must.Succeed(t, p.Suspend())
		must.Succeed(t, p.Continue())
	}
}

func TestKill(t *testing.T) {
	p := family(t)
	must.Succeed(t, p.Suspend())
	members, err := p.family()
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, p.Kill())
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
