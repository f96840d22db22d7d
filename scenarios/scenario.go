// Package scenarios holds what a run does, as data: the scenario type, its loader and the scenarios that are
// shipped, one YAML file each.
package scenarios

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Scenario is one YAML file.
type Scenario struct {
	Name string `yaml:"name"`
	// Summary says in two sentences what the scenario shows.
	Summary  string   `yaml:"summary"`
	Workload Workload `yaml:"workload"`
	Phases   []Phase  `yaml:"phases"`
	// Require is what a history must show to prove anything; less is unknown.
	Require Require `yaml:"require"`
	// Expect names the verdicts that are no surprise. A test that no entry matches is expected to be valid.
	Expect []Expect `yaml:"expect,omitempty"`
}

// Workload says how much load there is and of what kind.
type Workload struct {
	Clients int `yaml:"clients"` // processes
	Workers int `yaml:"workers"` // per client
	Locks   int `yaml:"locks"`
	// TTL is the length of leases and sessions.
	TTL Duration `yaml:"ttl"`
	// Hold is the time between the read and the write of a cycle, drawn evenly.
	Hold Range `yaml:"hold"`
	// Think is the pause between two cycles of a closed loop, drawn evenly.
	Think Range `yaml:"think"`
	// Rate, if not 0, is the number of acquires per second of all workers together: an open loop.
	Rate float64 `yaml:"rate,omitempty"`
	// AcquireTimeout bounds an acquire. It must be below the TTL for tokenless locks to show stale writes: a rival
	// that already waited when the holder was granted is in no order with it.
	AcquireTimeout Duration `yaml:"acquire-timeout"`
	Fencing        Toggle   `yaml:"fencing"`
	HeedLost       Toggle   `yaml:"heed-lost"`
}

// Phase is one part of a scenario; phases follow one another.
type Phase struct {
	Name string `yaml:"name"`
	// Alone: no other driver runs meanwhile, and the driver's other tests leave the phase out.
	Alone bool `yaml:"alone,omitempty"`
	// Latency: the phase's acquires are the latency of the tables.
	Latency bool `yaml:"latency,omitempty"`
	// For is how long the phase lasts, or how long its fault lasts at least. In multiples of the TTL with the unit "ttl".
	For Span `yaml:"for"`
	// Workload overrides the scenario's for this phase.
	Workload *Override `yaml:"workload,omitempty"`
	// Fault strikes once the phase has shown progress, and is healed before the phase ends.
	Fault *Fault `yaml:"fault,omitempty"`
}

// Override is the part of a workload that a phase may change.
type Override struct {
	Clients *int   `yaml:"clients,omitempty"`
	Workers *int   `yaml:"workers,omitempty"`
	Hold    *Range `yaml:"hold,omitempty"`
	Think   *Range `yaml:"think,omitempty"`
}

// Fault says what strikes whom.
type Fault struct {
	Name      string `yaml:"name"`
	Target    string `yaml:"target"`              // a role
	Direction string `yaml:"direction,omitempty"` // both, in or out; empty: both
}

// Require is what a history must show to prove anything.
type Require struct {
	// Grants before the first fault, and after the last one healed.
	Grants int `yaml:"grants"`
	// Attempts are acquires invoked during each fault.
	Attempts int `yaml:"attempts"`
	// Allowance is added to the TTL for the time within which a lock must be granted again after a heal.
	Allowance Duration `yaml:"allowance"`
}

// Expect says what is expected of the tests that it matches.
type Expect struct {
	// Drivers are names of drivers or variants; empty: all.
	Drivers []string `yaml:"drivers,omitempty"`
	// Fencing and HeedLost restrict the match; empty: both.
	Fencing  Toggle `yaml:"fencing,omitempty"`
	HeedLost Toggle `yaml:"heed-lost,omitempty"`
	// Exclusion and Data are "valid", "invalid" or "any"; empty: valid.
	Exclusion string `yaml:"exclusion,omitempty"`
	Data      string `yaml:"data,omitempty"`
}

// Toggle is "on", "off" or "both".
type Toggle string

// The toggles.
const (
	On   Toggle = "on"
	Off  Toggle = "off"
	Both Toggle = "both"
)

// Values lists the settings that the toggle stands for.
func (t Toggle) Values() []bool {
	switch t {
	case On:
		return []bool{true}
	case Off:
		return []bool{false}
	default:
		return []bool{false, true}
	}
}

// ParseToggle reads a toggle.
func ParseToggle(s string) (Toggle, error) {
	switch t := Toggle(s); t {
	case On, Off, Both:
		return t, nil
	}
	return "", fmt.Errorf("%q is not on, off or both", s)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Toggle) UnmarshalText(b []byte) (err error) {
	*t, err = ParseToggle(string(b))
	return err
}

// Duration is a time.Duration that files write as "2s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v < 0 {
		return fmt.Errorf(`%q is not a duration such as "500ms" or "2s"`, b)
	}
	*d = Duration(v)
	return nil
}

// Range is two durations that files write as "5ms..20ms", or one as "5ms".
type Range struct{ Min, Max time.Duration }

// MarshalText implements encoding.TextMarshaler.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String writes the range as files do.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// ParseRange reads a range.
func ParseRange(s string) (Range, error) {
	low, high, two := strings.Cut(s, "..")
	if !two {
		high = low
	}
	a, errA := time.ParseDuration(low)
	b, errB := time.ParseDuration(high)
	if errA != nil || errB != nil || a < 0 || b < a {
		return Range{}, fmt.Errorf(`%q is not a duration such as "10ms", or a range such as "5ms..20ms"`, s)
	}
	return Range{a, b}, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Range) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRange(string(b))
	return err
}

// Span is a length of time that may be given in multiples of the TTL ("1.5ttl").
type Span struct {
	TTLs  float64
	Fixed time.Duration
}

// Of is the span under this TTL.
func (s Span) Of(ttl time.Duration) time.Duration {
	return s.Fixed + time.Duration(s.TTLs*float64(ttl))
}

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) {
	if s.TTLs != 0 {
		return []byte(strconv.FormatFloat(s.TTLs, 'g', -1, 64) + "ttl"), nil
	}
	return []byte(s.Fixed.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(b []byte) error {
	if n, ok := strings.CutSuffix(string(b), "ttl"); ok {
		v, err := strconv.ParseFloat(n, 64)
		if err == nil && v > 0 && v <= 1000 && !math.IsNaN(v) {
			*s = Span{TTLs: v}
			return nil
		}
	} else if v, err := time.ParseDuration(string(b)); err == nil && v > 0 {
		*s = Span{Fixed: v}
		return nil
	}
	return fmt.Errorf(`%q is not a time such as "3s" or "1.5ttl"`, b)
}

// Validate reports everything in the scenario that cannot be run.
func (s *Scenario) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Name == "" || s.Summary == "" {
		bad("a scenario needs a name and a summary")
	}
	errs = append(errs, s.Workload.validate()...)
	if len(s.Phases) == 0 {
		bad("a scenario needs at least one phase")
	}
	seen := map[string]bool{}
	for i, p := range s.Phases {
		switch {
		case p.Name == "" || seen[p.Name]:
			bad("phase %d: its name %q is empty or taken", i+1, p.Name)
		case p.For == Span{}:
			bad(`phase %s: "for" is missing`, p.Name)
		case p.Alone && i > 0 && !s.Phases[i-1].Alone:
			bad("phase %s: phases that run alone come first", p.Name)
		case p.Alone && p.Fault != nil:
			bad("phase %s: a phase that runs alone has no fault", p.Name)
		}
		seen[p.Name] = true
		errs = append(errs, p.validateOverride(s.Workload)...)
	}
	for i, e := range s.Expect {
		for _, v := range []string{e.Exclusion, e.Data} {
			if v != "" && v != "valid" && v != "invalid" && v != "any" {
				bad("expect %d: %q is not valid, invalid or any", i+1, v)
			}
		}
	}
	if s.Require.Grants < 0 || s.Require.Attempts < 0 {
		bad("require: negative numbers")
	}
	return errors.Join(errs...)
}

func (w *Workload) validate() []error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("workload: "+format, args...))
		}
	}
	check(w.Clients >= 1 && w.Clients <= 100, "clients: %d is not between 1 and 100", w.Clients)
	check(w.Workers >= 1 && w.Workers <= 1000, "workers: %d is not between 1 and 1000", w.Workers)
	check(w.Clients*w.Workers >= 2, "it takes two workers to show anything about a lock")
	check(w.Locks >= 1, "locks: %d is below 1", w.Locks)
	check(w.TTL >= Duration(100*time.Millisecond), "ttl: %v is below 100ms", time.Duration(w.TTL))
	check(w.TTL <= Duration(time.Hour), "ttl: %v is above 1h", time.Duration(w.TTL))
	check(w.AcquireTimeout > 0, "acquire-timeout is missing")
	check(w.Rate >= 0 && !math.IsInf(w.Rate, 0) && !math.IsNaN(w.Rate), "rate: %v is not a rate", w.Rate)
	check(w.Fencing != "" && w.HeedLost != "", "fencing and heed-lost must be on, off or both")
	return errs
}

func (p *Phase) validateOverride(w Workload) []error {
	o := p.Workload
	if o == nil {
		return nil
	}
	var errs []error
	if o.Clients != nil && (*o.Clients < 1 || *o.Clients > w.Clients) {
		errs = append(errs, fmt.Errorf("phase %s: clients: %d is not between 1 and the scenario's %d", p.Name, *o.Clients, w.Clients))
	}
	if o.Workers != nil && (*o.Workers < 1 || *o.Workers > w.Workers) {
		errs = append(errs, fmt.Errorf("phase %s: workers: %d is not between 1 and the scenario's %d", p.Name, *o.Workers, w.Workers))
	}
	return errs
}
