package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/lockbench/lockbench/internal/quantile"
)

// percentileSteps is how many points of a line lie between two neighbours of 0 %, 90 %, 99 %, …
const percentileSteps = 30

// percentilePlot is the latency of all drivers by percentile, on the axis of HdrHistogram's plots: as far to the right as one
// in so many acquires was slower, logarithmically. Both axes are logarithmic.
type percentilePlot struct {
	// Wide and Narrow are the same plot for screens that are wide and for those that are not.
	Wide, Narrow picture
	Lines        []percentileLine
}

// percentileLine is one driver in the plot.
type percentileLine struct {
	Row    *Row
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

// newPercentilePlot plots the rows; nil if nothing was measured.
func newPercentilePlot(rows []Row) (*percentilePlot, error) {
	p := &percentilePlot{}
	for i := range rows {
		if r := &rows[i]; r.Latency.Samples > 0 {
			p.Lines = append(p.Lines, percentileLine{r, newSeriesKey(len(p.Lines)), r.Latency.percentiles()})
		}
	}
	if len(p.Lines) == 0 {
		return nil, nil
	}
	var err error
	if p.Wide, err = p.draw(1100, 420); err != nil {
		return nil, err
	}
	p.Narrow, err = p.draw(360, 340)
	return p, err
}

// percentiles are the points of the latency's line: x is the decimal logarithm of 1/(1−p), y that of nanoseconds. The last
// point is where one sample is slower, or none.
func (l Latency) percentiles() plotter.XYs {
	last := math.Log10(float64(max(l.Samples, 2)))
	n := max(2, int(math.Ceil(last*percentileSteps)))
	points := make(plotter.XYs, n)
	for i := range n {
		points[i].X = last * float64(i) / float64(n-1)
		ns := quantile.Of(l.hist, 1-math.Pow(10, -points[i].X))
		points[i].Y = math.Log10(float64(max(1, min(ns, l.max))))
	}
	return points
}

func (p *percentilePlot) draw(width, height int) (picture, error) {
	xMax, low, high := 2.0, math.Inf(1), math.Inf(-1)
	for _, l := range p.Lines {
		for _, at := range l.points {
			xMax, low, high = max(xMax, at.X), min(low, at.Y), max(high, at.Y)
		}
	}
	low = math.Floor(low)
	high = max(math.Ceil(high), low+1)
	xMax = max(xMax, 2) * 1.02
	plotted := newPlot(xMax, low, high, percentileTicks(xMax, width), durationTicks(low, high))
	for n, l := range p.Lines {
		style := draw.LineStyle{Color: inkSeries + ink(n%seriesInks), Width: 2, Dashes: seriesDash(n)}
		if err := line(plotted, l.points, style); err != nil {
			return picture{}, err
		}
	}
	pic, err := drawPanels(width, height, []panel{{plot: plotted}})
	pic.Title = "Acquire latency by percentile"
	pic.Desc = p.desc()
	return pic, err
}

// desc tells the plot in words; the numbers are in the table below it.
func (p *percentilePlot) desc() string {
	var all []string
	for _, l := range p.Lines {
		all = append(all, fmt.Sprintf("%s: p50 %s, p99 %s, max %s", l.Row.Driver.Title, l.Row.P50(), l.Row.P99(), l.Row.Max()))
	}
	return strings.Join(all, "; ") + "."
}

// percentileTicks marks 0 %, if there is room for it, 50 %, 90 %, 99 % and so on.
func percentileTicks(xMax float64, width int) []plot.Tick {
	all := []plot.Tick{{Value: math.Log10(2), Label: "50 %"}}
	if width > 600 {
		all = append(all, plot.Tick{Value: 0, Label: "0 %"})
	}
	for e := 1; float64(e) <= xMax; e++ {
		all = append(all, plot.Tick{Value: float64(e), Label: fmt.Sprintf("%.*f %%", max(0, e-2), 100-math.Pow10(2-e))})
	}
	return all
}

// durationTicks marks the powers of ten from 10^low to 10^high ns, and what is between them if there is room.
func durationTicks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for e := low; e <= high; e++ {
		all = append(all, plot.Tick{Value: e, Label: formatRound(e)})
		if high-low > 4 {
			continue
		}
		for _, m := range []float64{2, 5} {
			if at := e + math.Log10(m); at < high {
				tick := plot.Tick{Value: at}
				if high-low <= 3 {
					tick.Label = formatRound(at)
				}
				all = append(all, tick)
			}
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
