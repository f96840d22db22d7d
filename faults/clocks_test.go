package faults

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// by is a strike on the hosts with this offset.
func by(offset time.Duration, hosts ...string) Strike {
	s := at(Role(hosts[0]), hosts...)
	s.Params.Offset = &offset
	return s
}

func (f *fakeProcess) wantClock(t *testing.T, want time.Duration) {
	t.Helper()
	if got, _ := f.clock(); got != want {
		t.Errorf("the clock is %v off, want %v", got, want)
	}
}

// Two jumps of one clock add up, heal in any order, and heal once.
func TestClockJumpsAddUp(t *testing.T) {
	for _, firstHealed := range []int{0, 1} {
		c := newFakeCluster(3)
		heals := []func(){
			must(t)(ClockJump{}.Inject(t.Context(), c, by(time.Minute, "n1", "n2"))),
			must(t)(ClockJump{}.Inject(t.Context(), c, by(-time.Second, "n2", "n3"))),
		}
		c.all["n1"].wantClock(t, time.Minute)
		c.all["n2"].wantClock(t, time.Minute-time.Second)
		c.all["n3"].wantClock(t, -time.Second)
		if left := c.processes.Left(); len(left) != 3 {
			t.Errorf("left: %v", left)
		}
		heals[firstHealed]()
		heals[firstHealed]()
		c.all["n2"].wantClock(t, []time.Duration{-time.Second, time.Minute}[firstHealed])
		heals[1-firstHealed]()
		for _, f := range c.all {
			f.wantClock(t, 0)
		}
		if left := c.processes.Left(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// One clock that cannot be moved leaves none moved, and a heal that fails can be called again.
func TestClockThatCannotBeMoved(t *testing.T) {
	c := newFakeCluster(3)
	c.all["n2"].fail["skew"] = true
	if _, err := (ClockJump{}).Inject(t.Context(), c, by(time.Minute, "n1", "n2", "n3")); !errors.Is(err, errPlanned) || !strings.Contains(err.Error(), "n2") {
		t.Errorf("jump: %v, want that n2 failed", err)
	}
	for _, f := range c.all {
		f.wantClock(t, 0)
	}
	heal, err := ClockJump{}.Inject(t.Context(), c, by(time.Minute, "n1"))
	if err != nil {
		t.Fatal(err)
	}
	c.all["n1"].fail["skew"] = true
	if err := heal(t.Context()); !errors.Is(err, errPlanned) {
		t.Errorf("heal: %v, want what was planned", err)
	}
	if left := c.processes.Left(); len(left) != 1 || !strings.Contains(left[0], "clock of n1") {
		t.Errorf("left: %v", left)
	}
	if err := heal(t.Context()); err != nil {
		t.Error(err)
	}
	c.all["n1"].wantClock(t, 0)
}

// awaitClock waits until the clock is as it should be.
func (f *fakeProcess) awaitClock(t *testing.T, what string, is func(offset time.Duration, moves int) bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(f.clock()); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			offset, moves := f.clock()
			t.Fatalf("the clock is %v off after %d moves, want %s", offset, moves, what)
		}
	}
}

func TestClockDrift(t *testing.T) {
	for _, sign := range []time.Duration{1, -1} {
		c := newFakeCluster(1)
		s := at("n1", "n1")
		s.Params.PPM = int64(sign) * 1_000_000
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		heal, err := ClockDrift{}.Inject(ctx, c, s)
		if err != nil {
			t.Fatal(err)
		}
		cancel() // the fault lasts longer than the call
		c.all["n1"].awaitClock(t, "50 ms", func(offset time.Duration, _ int) bool { return sign*offset >= 50*time.Millisecond })
		if offset, _ := c.all["n1"].clock(); sign*offset > time.Since(began) {
			t.Errorf("it gained %v in %v", sign*offset, time.Since(began))
		}
		must(t)(heal, nil)()
		c.all["n1"].wantClock(t, 0)
		_, moves := c.all["n1"].clock()
		time.Sleep(3 * driftStep)
		if _, now := c.all["n1"].clock(); now != moves {
			t.Error("it drifts on")
		}
	}
}

func TestClockStrobe(t *testing.T) {
	c := newFakeCluster(1)
	s := by(time.Hour, "n1")
	s.Params.Gap = time.Millisecond
	heal := must(t)(ClockStrobe{}.Inject(t.Context(), c, s))
	for range 3 {
		c.all["n1"].awaitClock(t, "an hour", func(offset time.Duration, _ int) bool { return offset == time.Hour })
		c.all["n1"].awaitClock(t, "nothing", func(offset time.Duration, _ int) bool { return offset == 0 })
	}
	heal()
	heal()
	c.all["n1"].wantClock(t, 0)
}

// A drift whose clock fails says so when it is healed, and is healed all the same.
func TestClockThatFailsLater(t *testing.T) {
	c := newFakeCluster(1)
	s := by(time.Hour, "n1")
	s.Params.Gap = time.Millisecond
	heal, err := ClockStrobe{}.Inject(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	f := c.all["n1"]
	f.mu.Lock()
	f.fail["skew"] = true
	f.mu.Unlock()
	f.awaitClock(t, "its failure", func(time.Duration, int) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return !f.fail["skew"]
	})
	if err := heal(t.Context()); !errors.Is(err, errPlanned) {
		t.Errorf("heal: %v, want what was planned", err)
	}
	f.wantClock(t, 0)
}

func TestClocksThatCannotBeMoved(t *testing.T) {
	c := newFakeCluster(3)
	c.clocks = errors.New("not here")
	s := by(time.Second, "n1")
	s.Params.Gap, s.Params.PPM = time.Second, 1
	for _, f := range []Fault{ClockJump{}, ClockDrift{}, ClockStrobe{}} {
		if err := f.Available(c, s); !errors.Is(err, c.clocks) || errors.Is(err, ErrNoMeaning) {
			t.Errorf("%s: %v, want why it cannot run", f.Info().Name, err)
		}
		if _, err := f.Inject(t.Context(), c, s); !errors.Is(err, c.clocks) {
			t.Errorf("%s: %v, want why it cannot run", f.Info().Name, err)
		}
	}
	if err := (ClockJump{}).Available(newFakeCluster(1), at("n1", "n1")); err == nil {
		t.Error("a jump by nothing that was said")
	}
}
