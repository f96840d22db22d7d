package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/units"
)

// view is what a page shows of the run under way: what a terminal shows, and how it came so far. Its size is bounded.
type view struct {
	state    *state
	title    string
	plots    map[string]*webPlot // by driver
	messages []string            // the newest ones
	ended    string              // how the newest run ended; empty: it goes on
}

const (
	webMessages = 100
	webPoints   = 240 // of a plot
)

// webPlot is how a driver did over time.
type webPlot struct {
	points []webPoint
	merge  int // how many ticks become one point
	ticks  []webPoint
	faults []webFault
}

// webPoint is one point of a plot: At in seconds since the run's begin, Rate in grants per second, Wait in milliseconds.
type webPoint struct {
	At   float64 `json:"at"`
	Rate float64 `json:"rate"`
	Wait float64 `json:"wait"`
}

// webFault is when a fault was in force, in seconds since the run's begin. To is nil while it is.
type webFault struct {
	From float64  `json:"from"`
	To   *float64 `json:"to"`
	step int
	test string
}

// webState is what is sent to a page.
type webState struct {
	Title    string    `json:"title"`
	Status   string    `json:"status"`
	Locks    []webLock `json:"locks"`
	Messages []string  `json:"messages"` // the newest first
}

type webLock struct {
	Driver    string     `json:"driver"`
	Now       string     `json:"now"`
	Incidents int        `json:"incidents"`
	Points    []webPoint `json:"points"`
	Faults    []webFault `json:"faults"`
}

func newView() view { return view{state: newState(), title: "lockbench", plots: map[string]*webPlot{}} }

// apply takes an event in.
func (v *view) apply(e Event) {
	if e.Kind == RunStarted {
		messages := v.messages
		*v = newView()
		v.messages, v.title = messages, "lockbench: "+printable(e.Run.subject())
		for _, driver := range e.Run.Drivers {
			v.plots[driver] = &webPlot{merge: 1}
		}
	}
	if line := Line(e); line != "" {
		v.messages = append([]string{line}, v.messages[:min(len(v.messages), webMessages-1)]...)
	}
	v.state.apply(e)
	if e.Kind == RunEnded && e.Result != nil {
		v.ended = fmt.Sprintf("ended with exit code %d", e.Result.Exit)
		if e.Result.Error != "" {
			v.ended += ": " + printable(e.Result.Error)
		}
	}
	p := v.plots[e.Driver]
	if p == nil {
		return
	}
	at := e.Time.Sub(v.state.began).Seconds()
	switch e.Kind {
	case Tick:
		if e.Counts != nil {
			wait := e.Counts.P99
			if wait == 0 {
				wait = e.Counts.Max
			}
			p.tick(webPoint{at, e.Counts.Rate, float64(wait) / float64(time.Millisecond)})
		}
	case FaultInjected:
		if e.Injection != nil && len(p.faults) < webPoints {
			p.faults = append(p.faults, webFault{From: at, step: e.Injection.Step, test: e.Test})
		}
	case FaultHealed:
		for i := range p.faults {
			if f := &p.faults[i]; e.Injection != nil && f.To == nil && f.step == e.Injection.Step && f.test == e.Test {
				f.To = &at
			}
		}
	case TestEnded:
		for i := range p.faults {
			if f := &p.faults[i]; f.To == nil {
				f.To = &at
			}
		}
	}
}

// tick adds a point. When there are too many, two become one: with their mean rate and their longer wait.
func (p *webPlot) tick(t webPoint) {
	if p.ticks = append(p.ticks, t); len(p.ticks) < p.merge {
		return
	}
	p.points = append(p.points, joined(p.ticks))
	p.ticks = p.ticks[:0]
	if len(p.points) <= webPoints {
		return
	}
	half := p.points[:0]
	for i := 0; i+1 < len(p.points); i += 2 {
		half = append(half, joined(p.points[i:i+2]))
	}
	p.points, p.merge = half, 2*p.merge
}

func joined(all []webPoint) webPoint {
	var sum webPoint
	for _, p := range all {
		sum.At, sum.Rate, sum.Wait = p.At, sum.Rate+p.Rate/float64(len(all)), max(sum.Wait, p.Wait)
	}
	return sum
}

// snapshot is what a page is to show now.
func (v *view) snapshot(now time.Time) webState {
	s := webState{Title: v.title, Status: "servers start", Locks: []webLock{}, Messages: append([]string{}, v.messages...)}
	if !v.state.began.IsZero() {
		s.Status = strings.Join(v.state.times(now), " · ")
	}
	if v.ended != "" {
		s.Status = v.ended
	}
	for _, r := range v.state.rows {
		p := v.plots[r.driver]
		l := webLock{Driver: printable(r.driver), Now: printable(r.now(now)), Points: append([]webPoint{}, p.points...), Faults: append([]webFault{}, p.faults...)}
		for _, n := range r.incidents {
			l.Incidents += n
		}
		s.Locks = append(s.Locks, l)
	}
	return s
}

// now says what the driver does, without its name.
func (r *row) now(now time.Time) string {
	switch {
	case r.out:
		return "does not run, or not any more"
	case r.ended == len(r.tests) && r.test == "":
		return fmt.Sprintf("%s over", units.Plural(r.ended, "test"))
	}
	return r.doing(now)
}
