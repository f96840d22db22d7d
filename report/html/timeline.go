package html

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// timelineWidth and timelineHeight fit a phone; a desk shows several beside each other.
const timelineWidth, timelineHeight = 380, 350

// timelinePlot is a test's timeline.
type timelinePlot struct {
	Setup   string
	Picture picture
	// Faults says what the letters in the picture stand for.
	Faults []string
	// LeftOut is how long the time is that is left out at the dashed line; empty: none is.
	LeftOut string
}

// drawnTimeline is a timeline as the page draws it.
type drawnTimeline struct{ *measure.Timeline }

// newTimelinePlot plots a test's timeline; nil if there is none.
func newTimelinePlot(driver string, test *report.TestRow) (*timelinePlot, error) {
	t := drawnTimeline{&test.Measured.Timeline}
	if len(t.Grants) == 0 {
		return nil, nil
	}
	p := &timelinePlot{Setup: test.Setup()}
	var shades shading
	for _, phase := range test.Measured.Phases {
		if phase.HasFault() {
			letter := string(rune('A' + len(p.Faults)%26))
			p.Faults = append(p.Faults, letter+" "+phase.Name)
			shades = append(shades, shade{t.x(phase.From), t.x(phase.Until), letter})
		}
	}
	if t.Cut.Long() > 0 {
		p.LeftOut = units.Duration(time.Duration(t.Cut.Long()))
	}
	end := seconds(int64(t.Window) * int64(len(t.Grants)))
	var panels []panel
	for _, add := range []func(end float64, shades shading) (panel, error){t.grantsPanel, t.p99Panel, t.holdersPanel} {
		one, err := add(end, shades)
		if err != nil {
			return nil, err
		}
		if one.plot != nil {
			panels = append(panels, one)
		}
	}
	panels[len(panels)-1].plot.X.Tick.Marker = plot.ConstantTicks(t.ticks(end, true))
	var err error
	p.Picture, err = drawPanels(timelineWidth, timelineHeight, panels)
	p.Picture.Title = fmt.Sprintf("%s, %s, over time", driver, p.Setup)
	p.Picture.Desc = t.desc(p.Faults)
	return p, err
}

func seconds(ns int64) float64 { return float64(ns) / float64(time.Second) }

// x is where a time of the history is, in seconds.
func (t drawnTimeline) x(at int64) float64 { return seconds(t.Cut.Squeeze(at) - t.Begin) }

func (t drawnTimeline) desc(faults []string) string {
	most, slowest := 0, measure.Span{}
	for w, n := range t.Grants {
		most, slowest = max(most, n), slowest.Longer(t.P99[w])
	}
	text := fmt.Sprintf("At most %s grants per second; p99 of a window at most %s", units.Number(t.perSecond(most)), slowest)
	if len(t.Holders) > 0 {
		text += fmt.Sprintf("; at most %s of a lock at once", units.Plural(slices.Max(t.Holders), "holder"))
	}
	if len(faults) > 0 {
		text += ". Shaded are the faults " + strings.Join(faults, ", ")
	}
	return text + "."
}

func (t drawnTimeline) perSecond(grants int) float64 { return float64(grants) / t.Window.Seconds() }

// steps draws a value for each window as a line that is level in it; what is not a number interrupts it, and so does
// an idle window in which nothing happened.
func (t drawnTimeline) steps(value func(w int) float64) plotter.XYs {
	points := make(plotter.XYs, 0, 2*len(t.Grants))
	for w := range t.Grants {
		y := value(w)
		if t.Idle[w] && t.Grants[w] == 0 {
			y = math.NaN()
		}
		points = append(points, plotter.XY{X: seconds(int64(w) * int64(t.Window)), Y: y}, plotter.XY{X: seconds(int64(w+1) * int64(t.Window)), Y: y})
	}
	return points
}

// level leaves out the points within a line that stays level.
func level(points plotter.XYs) plotter.XYs {
	var kept plotter.XYs
	for i, at := range points {
		if i > 0 && i+1 < len(points) && points[i-1].Y == at.Y && points[i+1].Y == at.Y {
			continue
		}
		kept = append(kept, at)
	}
	return kept
}

var stroke = draw.LineStyle{Color: inkSeries, Width: 1.5}

func (t drawnTimeline) grantsPanel(end float64, shades shading) (panel, error) {
	high := 1.0
	for _, n := range t.Grants {
		high = max(high, symlog(t.perSecond(n)))
	}
	high = math.Ceil(high)
	ticks := []plot.Tick{{Value: 0, Label: "0"}}
	for e := 1.0; e <= high; e++ {
		ticks = append(ticks, plot.Tick{Value: symlog(math.Pow(10, e)), Label: compact(math.Pow(10, e))})
	}
	p := newPlot(end, 0, symlog(math.Pow(10, high)), t.ticks(end, false), ticks, shades.lettered(true), t.leftOut())
	points := t.steps(func(w int) float64 { return symlog(t.perSecond(t.Grants[w])) })
	return panel{"grants per second", p}, line(p, level(points), stroke)
}

// symlog is logarithmic for large values and yet shows zero.
func symlog(v float64) float64 { return math.Log10(1 + v) }

// compact writes a power of ten.
func compact(v float64) string {
	if v >= 1000 {
		return compact(v/1000) + "k"
	}
	return fmt.Sprintf("%.0f", v)
}

func (t drawnTimeline) p99Panel(end float64, shades shading) (panel, error) {
	low, high := math.Inf(1), math.Inf(-1)
	points := t.steps(func(w int) float64 {
		if !t.P99[w].Measured {
			return math.NaN()
		}
		y := math.Log10(float64(max(1, t.P99[w].D)))
		low, high = min(low, y), max(high, y)
		return y
	})
	if low > high {
		return panel{}, nil
	}
	low = math.Floor(low)
	high = max(math.Ceil(high), low+1)
	p := newPlot(end, low, high+.05, t.ticks(end, false), plainDurationTicks(low, high), shades.lettered(false), t.leftOut())
	return panel{"p99 of an acquire", p}, line(p, level(points), stroke)
}

func (t drawnTimeline) holdersPanel(end float64, shades shading) (panel, error) {
	if len(t.Holders) == 0 {
		return panel{}, nil
	}
	most := max(2, slices.Max(t.Holders))
	var ticks []plot.Tick
	for n := 0; n <= most; n += (most + 3) / 4 {
		ticks = append(ticks, plot.Tick{Value: float64(n), Label: fmt.Sprint(n)})
	}
	p := newPlot(end, 0, float64(most)+.2, t.ticks(end, false), ticks, shades.lettered(false), t.leftOut())
	all := t.steps(func(w int) float64 { return float64(t.Holders[w]) })
	tooMany := t.steps(func(w int) float64 {
		if t.Holders[w] < 2 {
			return math.NaN()
		}
		return float64(t.Holders[w])
	})
	if err := line(p, level(all), stroke); err != nil {
		return panel{}, err
	}
	return panel{"most holders of one lock at once", p}, line(p, level(tooMany), draw.LineStyle{Color: inkBad, Width: 3})
}

// noLabel is of a tick that only the grid is drawn for: one without a label would get none.
const noLabel = " "

// ticks marks round numbers of seconds since the begin, with labels or without; where a time is left out with some
// room.
func (t drawnTimeline) ticks(end float64, labels bool) []plot.Tick {
	step := roundStep(end / 5)
	var all []plot.Tick
	for i, n := 0, 0; n < maxTicks; i, n = i+1, n+1 {
		at := float64(i) * step
		ns := t.Begin + int64(math.Round(at*1e9))
		tick := plot.Tick{Value: t.x(ns), Label: noLabel}
		switch {
		case tick.Value > end*(1+1e-9):
			return all
		case ns > t.Cut.From && ns < t.Cut.To:
			i = max(i, int(seconds(t.Cut.To-t.Begin)/step)-1) // on to its end
			continue
		case len(all) > 0 && tick.Value-all[len(all)-1].Value < .7*step:
			continue
		}
		if labels {
			tick.Label = units.Duration(time.Duration(math.Round(at * 1e9)))
			if i == 0 {
				tick.Label = "0"
			} else if step >= 1 {
				tick.Label = fmt.Sprintf("%.0f s", at)
			}
		}
		all = append(all, tick)
	}
	return all
}

// maxTicks is more than any axis takes: times of a history of any origin may be beyond what numbers hold exactly.
const maxTicks = 100

// roundStep is the smallest of 1, 2 and 5 times a power of ten that is not below v, which is positive.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// plainDurationTicks marks some powers of ten.
func plainDurationTicks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for e := low; e <= high; e += math.Ceil((high - low) / 4) {
		all = append(all, plot.Tick{Value: e, Label: formatRound(e)})
	}
	return all
}
