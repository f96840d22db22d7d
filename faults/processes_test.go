package faults

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
		all, p := fakes(hosts)
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
			case !broken || !errors.Is(err, errPlanned) || !strings.Contains(err.Error(), "n"):
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
				if !errors.Is(err, errPlanned) || len(p.Left()) == 0 {
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
					f.took()
				}
				if err := rapid.SampledFrom(healed).Draw(t, "fault").heal(t.Context()); err != nil {
					t.Fatal(err)
				}
				for name, f := range all {
					if calls := f.took(); calls != "" {
						t.Fatalf("a second heal called %s of %s", calls, name)
					}
				}
			},
			"inject that fails": func(t *rapid.T) {
				f := all[fmt.Sprintf("n%d", rapid.IntRange(1, hosts).Draw(t, "host"))]
				f.fail[rapid.SampledFrom([]string{"suspend", "kill", "wipe"}).Draw(t, "method")] = true
				inject(t, true)
				clear(f.fail)
			},
			"heal that fails": func(t *rapid.T) {
				f := all[fmt.Sprintf("n%d", rapid.IntRange(1, hosts).Draw(t, "host"))]
				f.fail[rapid.SampledFrom([]string{"start", "continue", "suspend"}).Draw(t, "method")] = true
				defer clear(f.fail)
				heal(t)
			},
			"": func(t *rapid.T) {
				for name, f := range all {
					want := running
					for _, a := range faults {
						if slices.Contains(a.hosts, name) && want != down {
							want = paused
							if a.down {
								want = down
							}
						}
					}
					if f.state() != want {
						t.Fatalf("%s is %s, want %s; faults %v", name, f.state(), want, faults)
					}
					if !wiped[name] && !f.data {
						t.Fatalf("%s lost its data", name)
					}
				}
			},
		})
		for _, a := range faults {
			if err := a.heal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for name, f := range all {
			if f.state() != running {
				t.Fatalf("%s is %s after all heals", name, f.state())
			}
		}
		if left := p.Left(); len(left) > 0 {
			t.Fatalf("left %v", left)
		}
	})
}

func must(t *testing.T) func(heal func(context.Context) error, err error) func() {
	return func(heal func(context.Context) error, err error) func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			t.Helper()
			if err := heal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The exact calls, in the order in which they are to be made.
func TestProcessesCalls(t *testing.T) {
	all, p := fakes(1)
	n1, hosts := all["n1"], []string{"n1"}
	expect := func(what, want string) {
		t.Helper()
		if got := n1.took(); got != want {
			t.Errorf("%s: calls %q, want %q", what, got, want)
		}
	}
	unpause := must(t)(p.Pause(t.Context(), hosts))
	expect("pause", "suspend")
	again := must(t)(p.Pause(t.Context(), hosts))
	up := must(t)(p.Down(t.Context(), hosts, false))
	expect("kill what is paused", "kill")
	unpause()
	expect("heal a pause of what is down", "")
	upAgain := must(t)(p.Down(t.Context(), hosts, true))
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
	all, p := fakes(3)
	all["n2"].fail["wipe"] = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Down(ctx, []string{"n1", "n2", "n3"}, true)
	if !errors.Is(err, errPlanned) || !strings.Contains(err.Error(), "n2") || !strings.Contains(err.Error(), "lost") {
		t.Errorf("error %v does not say what happened to what", err)
	}
	for name, f := range all {
		if f.state() != running {
			t.Errorf("%s is %s", name, f.state())
		}
	}
	// If the undoing fails, too, that is said, and what is left is known.
	all["n2"].fail["kill"], all["n3"].fail["start"] = true, true
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
	all, p := fakes(1)
	unpause := must(t)(p.Pause(t.Context(), []string{"n1"}))
	all["n1"].up = false
	unpause()
	up := must(t)(p.Down(t.Context(), []string{"n1"}, false)) // it is gone already
	up()
	if got := all["n1"].state(); got != running {
		t.Errorf("after the heals it is %s", got)
	}
	unpause = must(t)(p.Pause(t.Context(), []string{"n1"}))
	all["n1"] = &fakeProcess{up: true, suspended: true} // lookup finds the new one, which somebody stopped
	unpause()
	if got := all["n1"].state(); got != running {
		t.Errorf("the new process is %s", got)
	}
}

// What is slow on one host holds up no other; and none of it races.
func TestProcessesConcurrently(t *testing.T) {
	all, p := fakes(4)
	all["n4"].block = make(chan struct{})
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
	close(all["n4"].block)
	if err := <-slow; err != nil {
		t.Error(err)
	}
	if left := p.Left(); len(left) > 0 {
		t.Errorf("left %v", left)
	}
	for name, f := range all {
		if f.state() != running {
			t.Errorf("%s is %s", name, f.state())
		}
	}
}
