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
	Phase     string        `yaml:"phase"`
	Fault     string        `yaml:"fault"`
	Target    string        `yaml:"target"`
	Direction string        `yaml:"direction,omitempty"`
	Hosts     []string      `yaml:"hosts"`
	At        time.Duration `yaml:"at"`
	Healed    time.Duration `yaml:"healed"`
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
