package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Toggle is "on", "off" or "both".
type Toggle string

// Fencing says whether the resource refuses old tokens: "fenced", "unfenced" or "both".
type Fencing string

// Lost says what a worker does that is told that it lost the lock: "heeding" it stops, "ignoring" it works on, or
// "both".
type Lost string

// The settings.
const (
	On  Toggle = "on"
	Off Toggle = "off"

	Fenced   Fencing = "fenced"
	Unfenced Fencing = "unfenced"

	Heeding  Lost = "heeding"
	Ignoring Lost = "ignoring"

	// Both stands for one of each, whatever is set.
	Both = "both"
)

// Values lists the settings that the toggle stands for: is it on?
func (t Toggle) Values() []bool { return values(t, On, Off) }

// Values lists the settings that the text stands for: is the resource fenced?
func (f Fencing) Values() []bool { return values(f, Fenced, Unfenced) }

// Values lists the settings that the text stands for: do workers heed?
func (l Lost) Values() []bool { return values(l, Heeding, Ignoring) }

func values[T ~string](v, yes, no T) []bool {
	switch v {
	case yes:
		return []bool{true}
	case no:
		return []bool{false}
	default:
		return []bool{false, true}
	}
}

// ParseToggle reads a toggle.
func ParseToggle(s string) (Toggle, error) { return parse(s, On, Off) }

// ParseFencing reads a setting of fencing.
func ParseFencing(s string) (Fencing, error) {
	return parse(string(oldWord(s, Fenced, Unfenced)), Fenced, Unfenced)
}

// ParseLost reads a setting of heeding.
func ParseLost(s string) (Lost, error) {
	return parse(string(oldWord(s, Heeding, Ignoring)), Heeding, Ignoring)
}

func parse[T ~string](s string, yes, no T) (T, error) {
	switch v := T(s); v {
	case yes, no, Both:
		return v, nil
	}
	return "", fmt.Errorf("%q is not %s, %s or %s", s, yes, no, Both)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Toggle) UnmarshalText(b []byte) (err error) {
	*t, err = ParseToggle(string(b))
	return err
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Fencing) UnmarshalText(b []byte) (err error) {
	*f, err = ParseFencing(string(b))
	return err
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Lost) UnmarshalText(b []byte) (err error) {
	*l, err = ParseLost(string(b))
	return err
}

// Resource is where the data lives that the locks protect.
type Resource string

// The resources.
const (
	// External: in a store of its own, which knows nothing of the lock but its token.
	External Resource = "external"
	// InTransaction: in the lock's own transaction. Only some locks have one.
	InTransaction Resource = "in-transaction"
)

// ParseResource reads a resource.
func ParseResource(s string) (Resource, error) {
	switch r := Resource(s); r {
	case External, InTransaction:
		return r, nil
	}
	return "", fmt.Errorf("%q is not %s or %s", s, External, InTransaction)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Resource) UnmarshalText(b []byte) (err error) {
	*r, err = ParseResource(string(b))
	return err
}

const (
	// MaxTime is the longest time that a scenario may have anywhere. Sums of such times do not overflow.
	MaxTime = 1000 * time.Hour
	// minTTLs and maxTTLs bound multiples of the TTL.
	minTTLs, maxTTLs = 0.001, 1000
)

// outOfBounds is the error of a time that is written well, but too short or too long.
type outOfBounds string

func (e outOfBounds) Error() string { return string(e) }

func tooLong[T string | []byte](text T) error {
	return outOfBounds(fmt.Sprintf("%q is longer than %v", text, MaxTime))
}

// badTime is why a time cannot be read: that it is out of bounds, or what is expected instead.
func badTime(err error, format string, args ...any) error {
	if bounds, ok := errors.AsType[outOfBounds](err); ok {
		return bounds
	}
	return fmt.Errorf(format, args...)
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
	if v > MaxTime {
		return tooLong(b)
	}
	*d = Duration(v)
	return nil
}

// Range is two lengths of time that files write as "5ms..20ms" or "1.5ttl..2ttl", or one as "5ms".
type Range struct{ Min, Max Span }

// Of is the range under this TTL.
func (r Range) Of(ttl time.Duration) (least, most time.Duration) { return r.Min.Of(ttl), r.Max.Of(ttl) }

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
	a, errA := parseSpan(low)
	b, errB := parseSpan(high)
	if errA != nil || errB != nil || (a.TTLs != 0) == (b.TTLs != 0) && b.Of(time.Hour) < a.Of(time.Hour) {
		return Range{}, badTime(errors.Join(errA, errB), `%q is not a time such as "10ms" or "1.5ttl", or a range such as "5ms..20ms"`, s)
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

// String writes the span as files do.
func (s Span) String() string {
	if s.TTLs != 0 {
		return strconv.FormatFloat(s.TTLs, 'g', -1, 64) + "ttl"
	}
	return s.Fixed.String()
}

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(b []byte) (err error) {
	*s, err = parseSpan(string(b))
	return err
}

func parseSpan(text string) (Span, error) {
	if n, ok := strings.CutSuffix(text, "ttl"); ok {
		if v, err := strconv.ParseFloat(n, 64); err == nil && decimalNumber.MatchString(n) {
			if v >= minTTLs && v <= maxTTLs {
				return Span{TTLs: v}, nil
			}
			return Span{}, outOfBounds(fmt.Sprintf("%q is not between %vttl and %dttl", text, minTTLs, maxTTLs))
		}
	} else if v, err := time.ParseDuration(text); err == nil && v > MaxTime {
		return Span{}, tooLong(text)
	} else if err == nil && v >= 0 {
		return Span{Fixed: v}, nil
	}
	return Span{}, fmt.Errorf(`%q is not a time such as "3s" or "1.5ttl"`, text)
}

// Offset is by how much a clock is off: a Span with a sign, as in "-500ms" and "1.5ttl".
type Offset struct {
	Back bool
	Span Span
}

// Of is the offset under this TTL.
func (o Offset) Of(ttl time.Duration) time.Duration {
	if o.Back {
		return -o.Span.Of(ttl)
	}
	return o.Span.Of(ttl)
}

// MarshalText implements encoding.TextMarshaler.
func (o Offset) MarshalText() ([]byte, error) {
	if o.Back {
		return []byte("-" + o.Span.String()), nil
	}
	return []byte(o.Span.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Offset) UnmarshalText(b []byte) (err error) {
	length, back := strings.CutPrefix(string(b), "-")
	if o.Span, err = parseSpan(length); err != nil {
		return badTime(err, `%q is not an offset such as "500ms", "-3s" or "1.5ttl"`, b)
	}
	o.Back = back
	return nil
}

// Event is something that a schedule can wait for.
type Event string

// The events.
const (
	// Held: the holder that the phase's faults need has held the lock for the time that follows.
	Held Event = "held"
	// Rival: a request of another grant of the held lock has reached the resource.
	Rival Event = "rival"
	// Recovered: several new grants have reached the resource since the last heal.
	Recovered Event = "recovered"
)

// Moment is when a fault is injected: a time after the fault before it, or an event and a time after it. Files write
// it as "500ms", "held 10ms" or "recovered".
type Moment struct {
	Event Event // empty: the fault before, or the phase's begin
	After Span
}

// MarshalText implements encoding.TextMarshaler.
func (m Moment) MarshalText() ([]byte, error) {
	switch {
	case m.Event == "":
		return []byte(m.After.String()), nil
	case m.After == Span{}:
		return []byte(m.Event), nil
	}
	return []byte(string(m.Event) + " " + m.After.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Moment) UnmarshalText(b []byte) error {
	event, after, both := strings.Cut(string(b), " ")
	switch e := Event(event); e {
	case Held, Rival, Recovered:
		m.Event = e
		if !both {
			return nil
		}
	default:
		after = string(b)
	}
	var err error
	if m.After, err = parseSpan(after); err != nil {
		return badTime(err, `%q is not a moment such as "500ms", "held 10ms", "rival" or "recovered"`, b)
	}
	return nil
}
