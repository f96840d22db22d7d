package nemesis

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lockbench/lockbench/scenarios"
)

// scheduleFormat is the format of the schedules that are written. Format 1 had no number. Format 2 counted the times of
// steps from the begin of their test, and had other words for settings.
const scheduleFormat = 3

// Schedule is the resolved schedule of a run: every value that was a choice or a default, and every fault that was
// injected. A program may add, drop and move steps: a replay injects the steps that it finds, and nothing else.
type Schedule struct {
	Format   int                `yaml:"format"`
	Seed     uint64             `yaml:"seed"`
	Scenario scenarios.Scenario `yaml:"scenario"`
	Tests    []TestSchedule     `yaml:"tests,omitempty"`
}

// TestSchedule is what was injected in one test.
type TestSchedule struct {
	Test string `yaml:"test"`
	// Begin is when the test began, from the begin of the run on, as all times here. A replay does not read them.
	Begin time.Duration `yaml:"begin,omitempty"`
	Steps []Step        `yaml:"steps"`
}

// Step is one fault that was injected. A replay injects the steps of a phase in their order, each when the moment has
// come for which its fault waits.
type Step struct {
	// Number is the step's in the history; a replay counts anew.
	Number int    `yaml:"step,omitempty"`
	Phase  string `yaml:"phase"`
	// Fault is as a scenario writes it: its name, target, settings, what it waits for, how long it lasts.
	Fault scenarios.Fault `yaml:"fault"`
	// Hosts filled the role of the target, and Peers those of the fault's peers.
	Hosts []string `yaml:"hosts"`
	Peers []string `yaml:"peers,omitempty"`
	// Holder is the client that was made to hold the lock for this fault or one before it; empty: none was.
	Holder string `yaml:"holder,omitempty"`
	// At and Healed say when. Healed is 0 if it was not healed.
	At     time.Duration `yaml:"at,omitempty"`
	Healed time.Duration `yaml:"healed,omitempty"`
}

// addStep notes a fault that was injected.
func (n *Nemesis) addStep(step *Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steps = append(n.steps, step)
}

// healed notes when it was undone.
func (n *Nemesis) healed(step *Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	step.Healed = n.cfg.Passed()
}

// Schedule is what was injected in the test so far.
func (n *Nemesis) Schedule() TestSchedule {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := TestSchedule{Test: n.cfg.Test, Begin: n.cfg.Begin}
	for _, step := range n.steps {
		s.Steps = append(s.Steps, *step)
	}
	return s
}

// stepsOf lists the steps that the schedule has in the phase.
func (n *Nemesis) stepsOf(phase string) (steps []Step) {
	for _, s := range n.cfg.Replay {
		for _, step := range s.Steps {
			if s.Test == n.cfg.Test && step.Phase == phase {
				steps = append(steps, step)
			}
		}
	}
	return steps
}

// Phases are the scenario's phases, with the faults that the schedule has in each if one is replayed.
func (n *Nemesis) Phases() []scenarios.Phase {
	all := slices.Clone(n.cfg.Scenario.Phases)
	if n.cfg.Replay == nil {
		return all
	}
	for i := range all {
		all[i].Faults = nil
		for _, step := range n.stepsOf(all[i].Name) {
			all[i].Faults = append(all[i].Faults, step.Fault)
		}
	}
	return all
}

// Planned are the phases by which it is decided what has a meaning here: those of a replay, with the scenario's
// faults where the schedule has no step. A phase that this lock cannot have is not applicable in a replay, either.
func (n *Nemesis) Planned() []scenarios.Phase {
	all := n.Phases()
	for i, p := range n.cfg.Scenario.Phases {
		if len(all[i].Faults) == 0 {
			all[i] = p
		}
	}
	return all
}

// Write writes the schedule as YAML.
func (s Schedule) Write(w io.Writer) error {
	s.Format = scheduleFormat
	b, err := yaml.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the schedule: %w", err)
	}
	_, err = w.Write(b)
	return err
}
