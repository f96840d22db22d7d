package nemesis

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/scenarios"
)

// scheduleFormat1 is a schedule of format 1, whose steps point at the faults of their scenario.
type scheduleFormat1 struct {
	Seed     uint64             `yaml:"seed"`
	Scenario scenarios.Scenario `yaml:"scenario"`
	Tests    []struct {
		Test  string        `yaml:"test"`
		Steps []stepFormat1 `yaml:"steps"`
	} `yaml:"tests"`
}

type stepFormat1 struct {
	Phase     string        `yaml:"phase"`
	Index     int           `yaml:"index"` // of the fault in its phase, from 0
	Fault     string        `yaml:"fault"`
	Target    string        `yaml:"target"`
	Direction string        `yaml:"direction"`
	Hosts     []string      `yaml:"hosts"`
	Peers     []string      `yaml:"peers"`
	Holder    string        `yaml:"holder"`
	At        time.Duration `yaml:"at"` // on the clock of the history
	Healed    time.Duration `yaml:"healed"`
}

// readFormat1 turns a schedule of format 1 into one of today. Its times are left out: when its tests began is not
// known.
func readFormat1(file string, b []byte) (s Schedule, err error) {
	var old scheduleFormat1
	if err := scenarios.UnmarshalOld(file, b, today, &old); err != nil {
		return s, err
	}
	s = Schedule{Format: scheduleFormat, Seed: old.Seed, Scenario: old.Scenario}
	for _, test := range old.Tests {
		t := TestSchedule{Test: test.Test, Steps: []Step{}}
		for i, o := range test.Steps {
			f, err := o.find(old.Scenario)
			if err != nil {
				return s, fmt.Errorf("%s is not the schedule of a run: step %d of test %s: %w", file, i+1, test.Test, err)
			}
			t.Steps = append(t.Steps, Step{Phase: o.Phase, Fault: f, Hosts: o.Hosts, Peers: o.Peers, Holder: o.Holder})
		}
		s.Tests = append(s.Tests, t)
	}
	return s, nil
}

// find returns the fault that the step points at.
func (o stepFormat1) find(s scenarios.Scenario) (f scenarios.Fault, err error) {
	i := slices.IndexFunc(s.Phases, func(p scenarios.Phase) bool { return p.Name == o.Phase })
	if i < 0 {
		return f, fmt.Errorf("its scenario has no phase %q", o.Phase)
	}
	p := s.Phases[i]
	if o.Index < 0 || o.Index >= len(p.Faults) {
		return f, fmt.Errorf("phase %s has %d faults, and no index %d", p.Name, len(p.Faults), o.Index)
	}
	if f = p.Faults[o.Index]; f.Name != o.Fault || f.Target != o.Target {
		return f, fmt.Errorf("fault %d of phase %s is %s of the %s, and not %s of the %s", o.Index, p.Name, f.Name, f.Target, o.Fault, o.Target)
	}
	return f, nil
}
