package progress

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/lockbench/lockbench/internal/units"
)

// Line is the event as one line of text without control characters; empty: it is not worth a line.
func Line(e Event) string {
	var s string
	switch e.Kind {
	case RunStarted:
		s = fmt.Sprintf("lockbench: %sscenario %s, seed %d, drivers %s", e.Run.Place.before(), e.Run.subject(), e.Run.Seed, strings.Join(e.Run.Drivers, ", "))
	case DriverOut:
		s = fmt.Sprintf("%s: %s: %s", e.Driver, e.Status, e.Reason)
	case ClustersReady:
		s = fmt.Sprintf("%d of %d clusters ready after %s", e.Clusters.Ready, e.Clusters.Wanted, units.Duration(e.Took))
	case PhaseStarted:
		s = fmt.Sprintf("%s: phase %s", e.Test, e.Phase)
	case PhaseSkipped:
		s = fmt.Sprintf("%s: phase %s: %s: %s", e.Test, e.Phase, e.Status, e.Reason)
	case Violation:
		s = fmt.Sprintf("%s: so far (times since it began): %s", e.Test, e.Text)
	case Note:
		s = e.Text
		if about := e.Test; about != "" {
			s = about + ": " + s
		} else if e.Driver != "" {
			s = e.Driver + ": " + s
		}
	}
	return printable(s)
}

// before is what is said before the run's scenario: which run of how many it is, and how long those after it take.
func (p *Place) before() string {
	if p == nil {
		return ""
	}
	if p.Left <= 0 {
		return fmt.Sprintf("run %d of %d: ", p.N, p.Of)
	}
	return fmt.Sprintf("run %d of %d, the others take about %v: ", p.N, p.Of, p.Left.Round(time.Second))
}

// subject is what the run is about: its scenario and, in a sweep, the value, or which round it is.
func (r *Run) subject() string {
	s := r.Scenario
	if r.Swept != "" {
		s += " with " + r.Swept
	}
	if r.Round != nil {
		s += ", " + r.Round.String()
	}
	return s
}

// printable puts blanks in the place of characters that steer a terminal, turn a line around or hide in it. Messages
// of servers may have some.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// Plain writes a line for each event that is worth one.
type Plain struct{ w io.Writer }

// NewPlain returns a Plain that writes to w.
func NewPlain(w io.Writer) *Plain { return &Plain{w} }

// Show implements Renderer.
func (p *Plain) Show(events []Event) error {
	for _, e := range events {
		if line := Line(e); line != "" {
			if _, err := fmt.Fprintln(p.w, line); err != nil {
				return fmt.Errorf("write the run's progress: %w", err)
			}
		}
	}
	return nil
}

// Close implements Renderer.
func (p *Plain) Close() error { return nil }
