package html

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// scenePicture is a scene as the page draws it. Across, positions are parts per thousand of the width, so that the
// picture stretches while its text does not; down, they are pixels.
type scenePicture struct {
	Height, AxisY int
	Title, Desc   string
	Lanes         []laneView
	Faults        []bandView
	// Both, Holds, Others and Writes are paths.
	Both, Holds, Others, Writes template.HTMLAttr
	Marks                       []markView
	Ticks                       []tickView
	Start                       float64 // where the incident begins, in percent
	Hidden                      int
}

type laneView struct {
	Label string
	Y     int
}

type bandView struct {
	X, Width float64 // in percent
	Label    string
	LabelX   float64
	Anchor   string
}

type markView struct {
	X    float64 // in percent
	Y    int
	Text string
}

type tickView struct {
	X      float64 // in percent
	Label  string
	Anchor string
}

const (
	sceneTop   = 22 // room for the faults' names
	laneHeight = 34
	barTop     = 17 // within a lane, below its label
	barHeight  = 12
	sceneWidth = 1000
)

// drawnScene is a scene as the page draws it.
type drawnScene struct{ *measure.Scene }

// picture lays the scene out.
func (s drawnScene) picture(lock string) *scenePicture {
	p := &scenePicture{Hidden: s.Hidden, AxisY: sceneTop + laneHeight*len(s.Lanes) + 4}
	p.Height = p.AxisY + 20
	p.Start = s.percent(s.At)
	var holds, others, writes strings.Builder
	var said []string
	for i, l := range s.Lanes {
		y := sceneTop + i*laneHeight
		label := fmt.Sprintf("%s · process %d", l.Client, l.Process)
		if n := len(l.Holds); n > 1 {
			label += fmt.Sprintf(" · %d holds", n)
		}
		p.Lanes = append(p.Lanes, laneView{label, y + 12})
		s.bars(&holds, l.Holds, y+barTop, barHeight)
		s.bars(&others, l.Others, y+barTop, barHeight)
		s.bars(&writes, instants(l.Writes), y+barTop+barHeight-4, 4)
		said = append(said, s.say(&l))
	}
	var both strings.Builder
	s.bars(&both, s.Both, sceneTop-2, p.AxisY-sceneTop+2)
	p.Both, p.Holds, p.Others, p.Writes = path(&both), path(&holds), path(&others), path(&writes)
	for _, f := range s.Faults {
		p.Faults = append(p.Faults, s.band(f))
		said = append(said, f.Name+" "+s.offset(f.From)+" to "+s.offset(f.To))
	}
	for _, v := range s.Violations {
		kind := strings.ReplaceAll(v.Kind, "_", " ")
		p.Marks = append(p.Marks, markView{s.percent(v.At), sceneTop + v.Lane*laneHeight + barTop + barHeight/2, kind})
		said = append(said, kind+" at "+s.offset(v.At))
	}
	p.ticks(s)
	p.Title = "What was held of " + lock + " around the incident"
	p.Desc = "Times count from the incident's begin. " + strings.Join(said, "; ") + "."
	return p
}

// say tells a lane in words.
func (s drawnScene) say(l *measure.Lane) string {
	who := fmt.Sprintf("%s (process %d) held the lock", l.Client, l.Process)
	if len(l.Holds) == 1 {
		return fmt.Sprintf("%s from %s to %s", who, s.offset(l.Holds[0].From), s.offset(l.Holds[0].To))
	}
	return fmt.Sprintf("%s %d times", who, len(l.Holds))
}

// offset writes a time as that since the incident began.
func (s drawnScene) offset(at int64) string {
	if at < s.At {
		return "−" + units.Duration(time.Duration(s.At-at))
	}
	return units.Duration(time.Duration(at - s.At))
}

// at is where a time is, from 0 to sceneWidth.
func (s drawnScene) at(ns int64) float64 {
	part := float64(min(max(ns, s.From), s.To)-s.From) / float64(s.To-s.From)
	return math.Round(part*sceneWidth*10) / 10
}

func (s drawnScene) percent(ns int64) float64 { return s.at(ns) / sceneWidth * 100 }

// bars adds a rectangle for each time. What is closer together than can be seen becomes one.
func (s drawnScene) bars(b *strings.Builder, all []measure.Interval, y, height int) {
	const near = 1.5
	var from, to float64
	flush := func() {
		if to > 0 {
			fmt.Fprintf(b, "M%g %dh%.1fv%dH%gz", from, y, max(to-from, 1), height, from)
		}
	}
	for i, t := range all {
		f, u := s.at(t.From), s.at(t.To)
		if i > 0 && f-to < near {
			to = max(to, u)
			continue
		}
		flush()
		from, to = f, max(u, 0.1)
	}
	flush()
}

// path is what bars wrote: digits and letters, and nothing from outside.
func path(b *strings.Builder) template.HTMLAttr {
	return template.HTMLAttr(fmt.Sprintf("d=%q", b.String()))
}

func instants(at []int64) []measure.Interval {
	all := make([]measure.Interval, 0, len(at))
	for _, t := range at {
		all = append(all, measure.Interval{From: t, To: t})
	}
	slices.SortFunc(all, func(a, b measure.Interval) int { return int(min(1, max(-1, a.From-b.From))) })
	return all
}

// band is a fault; its name stands where there is room for it.
func (s drawnScene) band(f measure.NamedInterval) bandView {
	from, to := s.percent(f.From), s.percent(f.To)
	b := bandView{X: from, Width: max(to-from, .3), Label: f.Name, LabelX: from, Anchor: "start"}
	if from > 60 {
		b.LabelX, b.Anchor = to, "end"
	}
	return b
}

// ticks marks the incident's begin and round times before and after it.
func (p *scenePicture) ticks(s drawnScene) {
	step := int64(roundStep(float64(s.To-s.From) / 5))
	if step <= 0 {
		return
	}
	for n := (s.From - s.At) / step; s.At+n*step <= s.To; n++ {
		at := s.At + n*step
		if at < s.From {
			continue
		}
		tick := tickView{X: s.percent(at), Label: s.offset(at), Anchor: "middle"}
		switch {
		case n == 0:
			tick.Label = "0"
		case n > 0:
			tick.Label = "+" + tick.Label
		}
		switch {
		case tick.X < 6:
			tick.Anchor = "start"
		case tick.X > 94:
			tick.Anchor = "end"
		}
		p.Ticks = append(p.Ticks, tick)
	}
}
