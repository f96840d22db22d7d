package scenarios

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/nearest"
)

// Fault says what is injected, into whom, and when. Which settings a fault takes, lockbench list faults tells.
type Fault struct {
	// Name is the fault's.
	Name string `yaml:"name" jsonschema:"required"`
	// Target is a role ("holder", "leader"), or a host ("n3", "c1").
	Target string `yaml:"target" jsonschema:"required"`
	// Direction is what the fault hits of the target's traffic: both, in or out; empty: both.
	Direction string `yaml:"direction,omitempty" jsonschema:"enum=both,enum=in,enum=out"`
	// Peers are roles or hosts at the other side of the links; empty: all.
	Peers []string `yaml:"peers,omitempty"`
	// When it is injected; empty: at once.
	When Moment `yaml:"when,omitempty"`
	// For is after how long it is healed; empty: at the end of the phase.
	For *Span `yaml:"for,omitempty"`
	// HolderGoesOn lets the holder write as soon as the fault is in force, instead of at the end of the phase.
	HolderGoesOn bool `yaml:"holder-goes-on,omitempty"`
	// Drivers are those that it hits; empty: all.
	Drivers []string `yaml:"drivers,omitempty"`
	// Settings are the fault's own, by name, as the file has them beside the keys above. This package does not know
	// which there are.
	Settings map[string]string `yaml:"-"`
}

// FaultKeys lists the keys that every fault has.
func FaultKeys() []string {
	var keys []string
	for f := range reflect.TypeFor[Fault]().Fields() {
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// need checks that a key has a value, and finds it among the settings if it is misspelt.
func (f *Fault) need(v *validator, at, key, value string) {
	if value != "" {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(f.Settings)) {
		if keys := FaultKeys(); nearest.Of(name, keys) == key {
			v.check(false, at+"."+name, "%s", nearest.Unknown("key", name, keys))
			return
		}
	}
	v.check(false, at+"."+key, "a fault needs a %s", key)
}

// keysOnly is a Fault without its methods: what the YAML library reads and writes by itself.
type keysOnly Fault

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (f *Fault) UnmarshalYAML(unmarshal func(any) error) error {
	var keys keysOnly
	if err := unmarshal(&keys); err != nil {
		return err
	}
	var all map[string]any
	if err := unmarshal(&all); err != nil {
		return err
	}
	for _, key := range FaultKeys() {
		delete(all, key)
	}
	*f = Fault(keys)
	for name, value := range all {
		if value == nil {
			continue // as if it were not there
		}
		if f.Settings == nil {
			f.Settings = map[string]string{}
		}
		f.Settings[name] = fmt.Sprint(value)
	}
	return nil
}

// MarshalYAML implements yaml.InterfaceMarshaler. The settings follow the other keys, in the order of their names.
func (f Fault) MarshalYAML() (any, error) {
	settings := map[string]any{}
	for name, text := range f.Settings {
		settings[name] = text
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			settings[name] = n
		}
	}
	return struct {
		keysOnly `yaml:",inline"`
		Settings map[string]any `yaml:",inline"`
	}{keysOnly(f), settings}, nil
}
