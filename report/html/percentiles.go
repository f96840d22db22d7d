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

	"github.com/lockbench/lockbench/internal/quantile"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// percentileSteps is how many points of a line lie between two neighbours of 0 %, 90 %, 99 %, …
const percentileSteps = 30

// percentilePlot is one kind of latency of all drivers by percentile, on the axis of HdrHistogram's plots: as far to
// the right as one in so many acquires was slower, logarithmically. Both axes are logarithmic.
type percentilePlot struct {
	picture
	Kind  report.Kind
	Lines []percentileLine
}

// percentileWidth and percentileHeight fit a phone; a desk shows the kinds beside each other.
const percentileWidth, percentileHeight = 372, 330

// percentileLine is one driver in the plot.
type percentileLine struct {
	Row    *report.Row
	number int // of its key
	Key    seriesKey
	points plotter.XYs
}

// seriesKey is how a driver's line looks.
type seriesKey struct{ Color, Dash string }

func newSeriesKey(n int) seriesKey {
	var dash []string
	for _, d := range seriesDash(n) {
		dash = append(dash, fmt.Sprint(float64(d)))
	}
	return seriesKey{Color: (inkSeries + ink(n%seriesInks)).variable(), Dash: strings.Join(dash, " ")}
}

// newPercentilePlots plots the rows, each kind of latency that was measured by itself. A driver looks the same in all.
func newPercentilePlots(rows []report.Row) ([]*percentilePlot, error) {
	var all []*percentilePlot
	for _, k := range report.Kinds() {
		p := &percentilePlot{Kind: k}
		for i := range rows {
			if l := rows[i].Of(k); l.Samples > 0 {
				p.Lines = append(p.Lines, percentileLine{&rows[i], i, newSeriesKey(i), percentiles(l)})
			}
		}
		if len(p.Lines) == 0 {
			continue
		}
		if err := p.draw(); err != nil {
			return nil, fmt.Errorf("plot the latency, %s: %w", k, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// percentileKeys are the keys of all drivers that are in some plot.
func percentileKeys(plots []*percentilePlot) []percentileLine {
	var all []percentileLine
	for _, p := range plots {
		for _, l := range p.Lines {
			if !slices.ContainsFunc(all, func(o percentileLine) bool { return o.number == l.number }) {
				all = append(all, l)
			}
		}
	}
	slices.SortFunc(all, func(a, b percentileLine) int { return a.number - b.number })
	return all
}

// percentiles are the points of the latency's line: x is the decimal logarithm of 1/(1−p), y that of nanoseconds. The
// last point is where one sample is slower, or none.
func percentiles(l measure.Latency) plotter.XYs {
	last := math.Log10(float64(max(l.Samples, 2)))
	n := max(2, int(math.Ceil(last*percentileSteps)))
	points := make(plotter.XYs, n)
	for i := range n {
		points[i].X = last * float64(i) / float64(n-1)
		ns := quantile.Of(l.Histogram, 1-math.Pow(10, -points[i].X))
		points[i].Y = math.Log10(float64(max(1, min(ns, int64(l.Max().D)))))
	}
	return points
}

func (p *percentilePlot) draw() error {
	xMax, low, high := 2.0, math.Inf(1), math.Inf(-1)
	for _, l := range p.Lines {
		for _, at := range l.points {
			xMax, low, high = max(xMax, at.X), min(low, at.Y), max(high, at.Y)
		}
	}
	low, high = roundDown(low), roundUp(high)
	if high-low < 1 { // a decade tells how far the lines are apart
		high = roundUp(low + 1)
	}
	xMax = max(xMax, 2) * 1.02
	plotted := newPlot(xMax, low, high, percentileTicks(xMax), durationTicks(low, high))
	plotted.X.Label.Text = "so many were faster"
	plotted.X.Label.TextStyle = textStyle(draw.XCenter, draw.YBottom)
	for _, l := range p.Lines {
		style := draw.LineStyle{Color: inkSeries + ink(l.number%seriesInks), Width: 2, Dashes: seriesDash(l.number)}
		if err := line(plotted, l.points, style); err != nil {
			return err
		}
	}
	pic, err := drawPanels(percentileWidth, percentileHeight, []panel{{title: "time (" + string(p.Kind) + ")", plot: plotted}})
	pic.Title = "Latency by percentile, " + string(p.Kind)
	pic.Desc = p.desc()
	p.picture = pic
	return err
}

// The steps of an axis of times: 1, 2 and 5 times a power of ten, as logarithms.
var steps = []float64{0, math.Log10(2), math.Log10(5), 1}

// roundDown is the step at or below a logarithm, and roundUp the one at or above it.
func roundDown(e float64) float64 {
	whole := math.Floor(e)
	at := whole
	for _, s := range steps {
		if whole+s <= e {
			at = whole + s
		}
	}
	return at
}

func roundUp(e float64) float64 {
	whole := math.Floor(e)
	for _, s := range steps {
		if whole+s >= e {
			return whole + s
		}
	}
	return whole + 1
}

// desc tells the plot in words; the numbers are in the table below it.
func (p *percentilePlot) desc() string {
	var all []string
	for _, l := range p.Lines {
		of := l.Row.Of(p.Kind)
		all = append(all, fmt.Sprintf("%s: p50 %s, p99 %s, max %s, n %d", l.Row.Driver.Title, of.Quantile(0.5), of.Quantile(0.99), of.Max(), of.Samples))
	}
	return strings.Join(all, "; ") + "."
}

// percentileTicks marks 50 %, 90 %, 99 % and so on.
func percentileTicks(xMax float64) []plot.Tick {
	all := []plot.Tick{{Value: math.Log10(2), Label: "50 %"}}
	for e := 1; float64(e) <= xMax; e++ {
		all = append(all, plot.Tick{Value: float64(e), Label: fmt.Sprintf("%.*f %%", max(0, e-2), 100-math.Pow10(2-e))})
	}
	return all
}

// durationTicks marks the powers of ten from 10^low to 10^high ns, and what is between them if there is room.
func durationTicks(low, high float64) []plot.Tick {
	const hair = 1e-9 // by which sums of logarithms are off
	var all []plot.Tick
	for e := math.Floor(low); e <= high+hair; e++ {
		for i, s := range steps[:3] {
			at := e + s
			if at < low-hair || at > high+hair || i > 0 && high-low > 4 {
				continue
			}
			tick := plot.Tick{Value: at}
			if i == 0 || high-low <= 3 {
				tick.Label = formatRound(at)
			}
			all = append(all, tick)
		}
	}
	return all
}

// formatRound writes 10^e nanoseconds without decimals.
func formatRound(e float64) string {
	ns := math.Pow(10, e)
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if ns >= float64(u.unit) {
			return fmt.Sprintf("%.0f %s", ns/float64(u.unit), u.name)
		}
	}
	return fmt.Sprintf("%.0f ns", ns)
}
