package processes_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/faults/processes/processtest"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// active is a fault of the state machine.
type active struct {
	hosts []string
	down  bool
	heal  func(context.Context) error
}

// Whatever faults come and go, in whatever order, and whatever fails on the way: a process is what the union of
// the active faults makes it, no call is made that does nothing, and in the end all run.
func TestProcessesAreTheUnionOfFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const hosts = 3
		all, p := processtest.Set(hosts)
		var faults, healed []active
		wiped := map[string]bool{}
		pick := rapid.SliceOfNDistinct(rapid.IntRange(1, hosts), 1, hosts, rapid.ID[int])
		inject := func(t *rapid.T, broken bool) {
			a := active{down: rapid.Bool().Draw(t, "down")}
			for _, i := range pick.Draw(t, "hosts") {
				a.hosts = append(a.hosts, fmt.Sprintf("n%d", i))
			}
			wipe := a.down && rapid.Bool().Draw(t, "wipe")
			var err error
			if a.down {
				a.heal, err = p.Down(t.Context(), a.hosts, wipe)
			} else {
				a.heal, err = p.Pause(t.Context(), a.hosts)
			}
			switch {
			case err == nil:
				faults = append(faults, a)
			case !broken || !errors.Is(err, processtest.ErrPlanned) || !strings.Contains(err.Error(), "n"):
				t.Fatalf("inject: %v", err)
			}
			for _, h := range a.hosts {
				wiped[h] = wiped[h] || wipe
			}
		}
		heal := func(t *rapid.T) {
			if len(faults) == 0 {
				t.Skip()
			}
			i := rapid.IntRange(0, len(faults)-1).Draw(t, "fault")
			a := faults[i]
			if err := a.heal(t.Context()); err != nil {
				if !errors.Is(err, processtest.ErrPlanned) || len(p.Left()) == 0 {
					t.Fatalf("heal: %v, left %v", err, p.Left())
				}
				if err := a.heal(t.Context()); err != nil { // what failed once works the second time
					t.Fatalf("heal again: %v", err)
				}
			}
			faults, healed = slices.Delete(faults, i, i+1), append(healed, a)
		}
		t.Repeat(map[string]func(*rapid.T){
			"inject": func(t *rapid.T) { inject(t, false) },
			"heal":   heal,
			"heal twice": func(t *rapid.T) {
				if len(healed) == 0 {
					t.Skip()
				}
				for _, f := range all {
					f.Calls()
				}
				must.Succeed(t, rapid.SampledFrom(healed).Draw(t, "fault").heal(t.Context()))
				for name, f := range all {
					if calls := f.Calls(); calls != "" {
						t.Fatalf("a second heal called %s of %s", calls, name)
					}
				}
			},
			"inject that fails": func(t *rapid.T) {
				f := all[fmt.Sprintf("n%d", rapid.IntRange(1, hosts).Draw(t, "host"))]
				f.FailOnce(rapid.SampledFrom([]string{"suspend", "kill", "wipe"}).Draw(t, "method"))
				inject(t, true)
				f.FailNothing()
			},
			"heal that fails": func(t *rapid.T) {
				f := all[fmt.Sprintf("n%d", rapid.IntRange(1, hosts).Draw(t, "host"))]
				f.FailOnce(rapid.SampledFrom([]string{"start", "continue", "suspend"}).Draw(t, "method"))
				defer f.FailNothing()
				heal(t)
			},
			"": func(t *rapid.T) {
				for name, f := range all {
					want := processtest.Running
					for _, a := range faults {
						if slices.Contains(a.hosts, name) && want != processtest.Down {
							want = processtest.Paused
							if a.down {
								want = processtest.Down
							}
						}
					}
					if f.State() != want {
						t.Fatalf("%s is %s, want %s; faults %v", name, f.State(), want, faults)
					}
					if !wiped[name] && !f.HasData() {
						t.Fatalf("%s lost its data", name)
					}
				}
			},
		})
		for _, a := range faults {
			must.Succeed(t, a.heal(t.Context()))
		}
		for name, f := range all {
			if f.State() != processtest.Running {
				t.Fatalf("%s is %s after all heals", name, f.State())
			}
		}
		if left := p.Left(); len(left) > 0 {
			t.Fatalf("left %v", left)
		}
	})
}

// The exact calls, in the order in which they are to be made.
func TestProcessesCalls(t *testing.T) {
	all, p := processtest.Set(1)
	n1, hosts := all["n1"], []string{"n1"}
	expect := func(what, want string) {
		t.Helper()
		if got := n1.Calls(); got != want {
			t.Errorf("%s: calls %q, want %q", what, got, want)
		}
	}
	unpause := processtest.Must(t)(p.Pause(t.Context(), hosts))
	expect("pause", "suspend")
	again := processtest.Must(t)(p.Pause(t.Context(), hosts))
	up := processtest.Must(t)(p.Down(t.Context(), hosts, false))
	expect("kill what is paused", "kill")
	unpause()
	expect("heal a pause of what is down", "")
	upAgain := processtest.Must(t)(p.Down(t.Context(), hosts, true))
	expect("wipe what is down", "wipe")
	up()
	expect("heal one of two", "")
	upAgain()
	expect("start what is to be paused", "start suspend")
	again()
	expect("heal the last", "continue")
}

// An injection that fails on one host is undone on the others, even if its context has ended meanwhile.
func TestProcessesHalfWay(t *testing.T) {
	all, p := processtest.Set(3)
	all["n2"].FailOnce("wipe")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Down(ctx, []string{"n1", "n2", "n3"}, true)
	if !errors.Is(err, processtest.ErrPlanned) || !strings.Contains(err.Error(), "n2") || !strings.Contains(err.Error(), "lost") {
		t.Errorf("error %v does not say what happened to what", err)
	}
	for name, f := range all {
		if f.State() != processtest.Running {
			t.Errorf("%s is %s", name, f.State())
		}
	}
	// If the undoing fails, too, that is said, and what is left is known.
	all["n2"].FailOnce("kill")
	all["n3"].FailOnce("start")
	_, err = p.Down(t.Context(), []string{"n1", "n2", "n3"}, false)
	if err == nil || !strings.Contains(err.Error(), "undo kill n3") {
		t.Errorf("error %v does not say that n3 is still down", err)
	}
	if left := p.Left(); len(left) != 1 || !strings.HasPrefix(left[0], "n3 is down") {
		t.Errorf("left %v, want n3", left)
	}
	if _, err := p.Pause(t.Context(), []string{"n4"}); err == nil || !strings.Contains(err.Error(), "n4") {
		t.Errorf("a host that does not exist: %v", err)
	}
}

// A process that ended by itself heals, and one that somebody else started again, too.
func TestProcessesSurviveTheirTarget(t *testing.T) {
	all, p := processtest.Set(1)
	unpause := processtest.Must(t)(p.Pause(t.Context(), []string{"n1"}))
	all["n1"].End()
	unpause()
	up := processtest.Must(t)(p.Down(t.Context(), []string{"n1"}, false)) // it is gone already
	up()
	if got := all["n1"].State(); got != processtest.Running {
		t.Errorf("after the heals it is %s", got)
	}
	unpause = processtest.Must(t)(p.Pause(t.Context(), []string{"n1"}))
	all["n1"] = processtest.New(processtest.Paused) // lookup finds the new one, which somebody stopped
	unpause()
	if got := all["n1"].State(); got != processtest.Running {
		t.Errorf("the new process is %s", got)
	}
}

// What is slow on one host holds up no other; and none of it races.
func TestProcessesConcurrently(t *testing.T) {
	all, p := processtest.Set(4)
	all["n4"].Block = make(chan struct{})
	slow := make(chan error, 1)
	go func() {
		heal, err := p.Down(t.Context(), []string{"n4"}, false)
		if err == nil {
			err = heal(t.Context())
		}
		slow <- err
	}()
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 100 {
				hosts := []string{"n1", "n2", "n3"}[random.IntN(3):]
				heal, err := p.Pause(t.Context(), hosts)
				if random.IntN(2) == 0 && err == nil {
					err = heal(t.Context())
					heal, _ = p.Down(t.Context(), hosts, false)
				}
				if err == nil {
					err = heal(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the others wait for n4")
	}
	close(all["n4"].Block)
	if err := <-slow; err != nil {
		t.Error(err)
	}
	if left := p.Left(); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	for name, f := range all {
		if f.State() != processtest.Running {
			t.Errorf("%s is %s", name, f.State())
		}
	}
}
