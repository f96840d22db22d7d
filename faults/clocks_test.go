package faults

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/faults/processes/processtest"
)

// by is an injection into the hosts with this offset.
func by(offset time.Duration, hosts ...string) Injection {
	s := at(Role(hosts[0]), hosts...)
	s.Settings["offset"] = offset
	return s
}

func wantClock(t *testing.T, f *processtest.Fake, want time.Duration) {
	t.Helper()
	if got, _ := f.Clock(); got != want {
		t.Errorf("the clock is %v off, want %v", got, want)
	}
}

// Two jumps of one clock add up, heal in any order, and heal once.
func TestClockJumpsAddUp(t *testing.T) {
	for _, firstHealed := range []int{0, 1} {
		c := newFakeCluster(3)
		heals := []func(){
			processtest.Must(t)(ClockJump{}.Inject(t.Context(), c, by(time.Minute, "n1", "n2"))),
			processtest.Must(t)(ClockJump{}.Inject(t.Context(), c, by(-time.Second, "n2", "n3"))),
		}
		wantClock(t, c.all["n1"], time.Minute)
		wantClock(t, c.all["n2"], time.Minute-time.Second)
		wantClock(t, c.all["n3"], -time.Second)
		if left := c.processes.Left(); len(left) != 3 {
			t.Errorf("left: %v", left)
		}
		heals[firstHealed]()
		heals[firstHealed]()
		wantClock(t, c.all["n2"], []time.Duration{-time.Second, time.Minute}[firstHealed])
		heals[1-firstHealed]()
		for _, f := range c.all {
			wantClock(t, f, 0)
		}
		if left := c.processes.Left(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// One clock that cannot be moved leaves none moved, and a heal that fails can be called again.
func TestClockThatCannotBeMoved(t *testing.T) {
	c := newFakeCluster(3)
	c.all["n2"].FailOnce("skew")
	if _, err := (ClockJump{}).Inject(t.Context(), c, by(time.Minute, "n1", "n2", "n3")); !errors.Is(err, processtest.ErrPlanned) || !strings.Contains(err.Error(), "n2") {
		t.Errorf("jump: %v, want that n2 failed", err)
	}
	for _, f := range c.all {
		wantClock(t, f, 0)
	}
	heal, err := ClockJump{}.Inject(t.Context(), c, by(time.Minute, "n1"))
	if err != nil {
		t.Fatal(err)
	}
	c.all["n1"].FailOnce("skew")
	if err := heal(t.Context()); !errors.Is(err, processtest.ErrPlanned) {
		t.Errorf("heal: %v, want what was planned", err)
	}
	if left := c.processes.Left(); len(left) != 1 || !strings.Contains(left[0], "clock of n1") {
		t.Errorf("left: %v", left)
	}
	if err := heal(t.Context()); err != nil {
		t.Error(err)
	}
	wantClock(t, c.all["n1"], 0)
}

// awaitClock waits until the clock is as it should be.
func awaitClock(t *testing.T, f *processtest.Fake, what string, is func(offset time.Duration, moves int) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(f.Clock()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			offset, moves := f.Clock()
			t.Fatalf("the clock is %v off after %d moves, want %s", offset, moves, what)
		}
	}
}

func TestClockDrift(t *testing.T) {
	for _, sign := range []time.Duration{1, -1} {
		c := newFakeCluster(1)
		s := at("n1", "n1")
		s.Settings["ppm"] = int64(sign) * 1_000_000
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		heal, err := ClockDrift{}.Inject(ctx, c, s)
		if err != nil {
			t.Fatal(err)
		}
		cancel() // the fault lasts longer than the call
		awaitClock(t, c.all["n1"], "50 ms", func(offset time.Duration, _ int) bool { return sign*offset >= 50*time.Millisecond })
		if offset, _ := c.all["n1"].Clock(); sign*offset > time.Since(began) {
			t.Errorf("it gained %v in %v", sign*offset, time.Since(began))
		}
		processtest.Must(t)(heal, nil)()
		wantClock(t, c.all["n1"], 0)
		_, moves := c.all["n1"].Clock()
		time.Sleep(3 * driftStep)
		if _, now := c.all["n1"].Clock(); now != moves {
			t.Error("it drifts on")
		}
	}
}

func TestClockStrobe(t *testing.T) {
	c := newFakeCluster(1)
	s := by(time.Hour, "n1")
	s.Settings["gap"] = time.Millisecond
	heal := processtest.Must(t)(ClockStrobe{}.Inject(t.Context(), c, s))
	for range 3 {
		awaitClock(t, c.all["n1"], "an hour", func(offset time.Duration, _ int) bool { return offset == time.Hour })
		awaitClock(t, c.all["n1"], "nothing", func(offset time.Duration, _ int) bool { return offset == 0 })
	}
	heal()
	heal()
	wantClock(t, c.all["n1"], 0)
}

// A drift whose clock fails says so when it is healed, and is healed all the same.
func TestClockThatFailsLater(t *testing.T) {
	c := newFakeCluster(1)
	s := by(time.Hour, "n1")
	s.Settings["gap"] = time.Millisecond
	heal, err := ClockStrobe{}.Inject(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	f := c.all["n1"]
	f.FailOnce("skew")
	awaitClock(t, f, "its failure", func(time.Duration, int) bool { return !f.WillFail("skew") })
	if err := heal(t.Context()); !errors.Is(err, processtest.ErrPlanned) {
		t.Errorf("heal: %v, want what was planned", err)
	}
	wantClock(t, f, 0)
}

func TestClocksThatCannotBeMoved(t *testing.T) {
	c := newFakeCluster(3)
	c.clocks = errors.New("not here")
	s := by(time.Second, "n1")
	s.Settings["gap"], s.Settings["ppm"] = time.Second, int64(1)
	for _, f := range []Fault{ClockJump{}, ClockDrift{}, ClockStrobe{}} {
		if err := f.Available(c, s); !errors.Is(err, c.clocks) || errors.Is(err, ErrNoMeaning) {
			t.Errorf("%s: %v, want why it cannot run", f.Info().Name, err)
		}
		if _, err := f.Inject(t.Context(), c, s); !errors.Is(err, c.clocks) {
			t.Errorf("%s: %v, want why it cannot run", f.Info().Name, err)
		}
	}
}
