//go:build unix

package results

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestLock(t *testing.T) {
	d := Dir(t.TempDir())
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(); !errors.Is(err, ErrInUse) {
		t.Errorf("claimed twice: %v", err)
	}
	if err := d.Idle(); !errors.Is(err, ErrInUse) {
		t.Errorf("idle though claimed: %v", err)
	}
	must.Succeed(t, release())
	if err := d.Idle(); err != nil {
		t.Error(err)
	}
	again, err := d.Lock()
	if err != nil {
		t.Fatalf("it was given up: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	if _, err := Dir(t.TempDir() + "/nope").Lock(); err == nil || errors.Is(err, ErrInUse) {
		t.Errorf("there is no directory: %v", err)
	}
}

// A run that goes on was neither killed, nor is what it has not come to missing.
func TestLoadWhatGoesOn(t *testing.T) {
	d, err := Create(t.TempDir(), "partition", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	run := Run{Format: Format, Status: Incomplete, Drivers: []Driver{{Name: "d", Status: NotRun}}, Tests: []Test{{Name: "d.a", Driver: "d", Status: NotRun}}}
	must.Succeed(t, d.WriteRun(&run))
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"still going on", "ended before"} {
		s, err := Load(string(d))
		if err != nil {
			t.Fatal(err)
		}
		if r := s.Run; !strings.Contains(r.Tests[0].Reason, want) || !strings.Contains(r.Drivers[0].Reason, want) {
			t.Errorf("%s: %+v", want, r)
		}
		if err := release(); err != nil && want == "still going on" {
			t.Fatal(err)
		}
	}
}
