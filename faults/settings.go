package faults

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/scenarios"
)

// Setting declares one setting of a fault.
type Setting struct {
	// Name is its key in a scenario.
	Name string
	Kind Kind
	// Required: a scenario must set it.
	Required bool
	// Min and Max bound an Integer; Min also bounds a Duration, in nanoseconds. A Max of 0 is no bound.
	Min, Max int64
	// OneOf lists the values of a Choice.
	OneOf []string
	// Text says in a few words what it does.
	Text string
}

// Kind is a kind of value.
type Kind string

// The kinds.
const (
	// Duration is a time.Duration that is not negative ("500ms").
	Duration Kind = "duration"
	// Offset is a time.Duration of either sign. A scenario may write it in TTLs ("-1.5ttl").
	Offset Kind = "offset"
	// Integer is an int64.
	Integer Kind = "integer"
	// Choice is one text of a list.
	Choice Kind = "choice"
)

// Settings are the values of one injection, by the names of the settings: a time.Duration, an int64 or a string each.
type Settings map[string]any

// Duration returns a Duration or an Offset; 0 if it is not set.
func (s Settings) Duration(name string) time.Duration {
	d, _ := s[name].(time.Duration)
	return d
}

// Integer returns an Integer; 0 if it is not set.
func (s Settings) Integer(name string) int64 {
	n, _ := s[name].(int64)
	return n
}

// Choice returns a Choice; empty if it is not set.
func (s Settings) Choice(name string) string {
	c, _ := s[name].(string)
	return c
}

// Texts writes the settings as a scenario does. Times are never in TTLs. It is nil if nothing is set.
func (s Settings) Texts() map[string]string {
	if len(s) == 0 {
		return nil
	}
	texts := map[string]string{}
	for name, v := range s {
		texts[name] = fmt.Sprint(v)
	}
	return texts
}

// SettingError says what is wrong with one setting.
type SettingError struct {
	// Setting is its name; empty if a setting is missing.
	Setting string
	Text    string
}

// Error implements error.
func (e *SettingError) Error() string { return e.Text }

// Resolve reads the settings of a scenario's fault under this TTL. wrong lists those that are missing, that the fault
// does not have, and whose value is not allowed; keys are the other keys that a user may have meant by an unknown
// one.
func (i Info) Resolve(texts map[string]string, ttl time.Duration, keys []string) (s Settings, wrong []*SettingError) {
	s = Settings{}
	for _, setting := range i.Settings {
		text, is := texts[setting.Name]
		if !is {
			if setting.Required {
				wrong = append(wrong, &SettingError{Text: fmt.Sprintf("%s needs %s: %s", i.Name, setting.Name, setting.Text)})
			}
			continue
		}
		v, err := setting.read(text, ttl)
		if err != nil {
			wrong = append(wrong, &SettingError{setting.Name, err.Error()})
			continue
		}
		s[setting.Name] = v
	}
	for name := range texts {
		if !slices.ContainsFunc(i.Settings, func(s Setting) bool { return s.Name == name }) {
			wrong = append(wrong, &SettingError{name, i.unknown(name, keys)})
		}
	}
	slices.SortStableFunc(wrong, func(a, b *SettingError) int { return strings.Compare(a.Setting, b.Setting) })
	return s, wrong
}

func (i Info) unknown(name string, keys []string) string {
	var names []string
	for _, s := range i.Settings {
		names = append(names, s.Name)
	}
	hint := ""
	if meant := nearest.Of(name, slices.Concat(names, keys)); meant != "" {
		hint = fmt.Sprintf(", did you mean %q?", meant)
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return fmt.Sprintf("%s has no such setting%s; there are: %s", i.Name, hint, strings.Join(names, ", "))
}

// read turns a scenario's text into a value.
func (s Setting) read(text string, ttl time.Duration) (any, error) {
	switch s.Kind {
	case Duration:
		var d scenarios.Duration
		if err := d.UnmarshalText([]byte(text)); err != nil {
			return nil, err
		}
		if int64(d) < s.Min {
			return nil, fmt.Errorf("it is %s, and must be at least %v", text, time.Duration(s.Min))
		}
		return time.Duration(d), nil
	case Offset:
		var o scenarios.Offset
		err := o.UnmarshalText([]byte(text))
		return o.Of(ttl), err
	case Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return nil, fmt.Errorf("it is %q; a whole number is expected", text)
		case n < s.Min:
			return nil, fmt.Errorf("it is %d, and must be at least %d", n, s.Min)
		case s.Max != 0 && n > s.Max:
			return nil, fmt.Errorf("it is %d, and must be at most %d", n, s.Max)
		}
		return n, nil
	default:
		if !slices.Contains(s.OneOf, text) {
			return nil, fmt.Errorf("%s", nearest.Unknown(s.Name, text, s.OneOf))
		}
		return text, nil
	}
}
