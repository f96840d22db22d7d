package orchestrator

import (
	"fmt"
	"io"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// Schedule is the resolved schedule of a run: every value that was a choice or a default, and every fault with
// whom it struck and when.
type Schedule struct {
	Seed     uint64             `yaml:"seed"`
	Scenario scenarios.Scenario `yaml:"scenario"`
	Tests    []TestSchedule     `yaml:"tests,omitempty"`
}

// TestSchedule is what struck one test.
type TestSchedule struct {
	Test  string `yaml:"test"`
	Steps []Step `yaml:"steps"`
}

// Step is one fault as it struck. Times are on the clock of the history.
type Step struct {
	Phase string `yaml:"phase"`
	// Index is that of the fault in its phase, from 0.
	Index     int      `yaml:"index"`
	Fault     string   `yaml:"fault"`
	Target    string   `yaml:"target"`
	Direction string   `yaml:"direction,omitempty"`
	Hosts     []string `yaml:"hosts"`
	Peers     []string `yaml:"peers,omitempty"`
	// Holder is the client that was made to hold the lock for this fault or one before it; empty: none was.
	Holder string        `yaml:"holder,omitempty"`
	At     time.Duration `yaml:"at"`
	Healed time.Duration `yaml:"healed,omitempty"` // 0: it was not
}

// addStep notes a fault that has struck.
func (t *test) addStep(step *Step) {
	t.nemesisMu.Lock()
	defer t.nemesisMu.Unlock()
	t.steps = append(t.steps, step)
}

// healed notes when it was undone.
func (t *test) healed(step *Step) {
	t.nemesisMu.Lock()
	defer t.nemesisMu.Unlock()
	step.Healed = time.Duration(t.clock.Now())
}

// schedule is what struck the test so far.
func (t *test) schedule() TestSchedule {
	t.nemesisMu.Lock()
	defer t.nemesisMu.Unlock()
	s := TestSchedule{Test: t.meta.Name}
	for _, step := range t.steps {
		s.Steps = append(s.Steps, *step)
	}
	return s
}

// replayed lists what struck in the phase when the run that is repeated was made.
func (t *test) replayed(phase string) []Step {
	var steps []Step
	for _, s := range t.run.cfg.Replay {
		for _, step := range s.Steps {
			if s.Test == t.meta.Name && step.Phase == phase {
				steps = append(steps, step)
			}
		}
	}
	return steps
}

func (r *run) saveSchedule() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := yaml.Marshal(Schedule{Seed: r.cfg.Seed, Scenario: r.scenario, Tests: r.schedules})
	if err != nil {
		return fmt.Errorf("encode the schedule: %w", err)
	}
	return r.dir.Write(results.ScheduleFile, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
