package html

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// shade is a time in which a fault was in force, in seconds, with its letter.
type shade struct {
	from, to float64
	letter   string
}

// shading is drawn behind everything else.
type shading []shade

// lettered keeps or drops the letters.
func (s shading) lettered(keep bool) shading {
	if keep {
		return s
	}
	s = slices.Clone(s)
	for i := range s {
		s[i].letter = ""
	}
	return s
}

// Plot implements plot.Plotter.
func (s shading) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	for _, one := range s {
		from, to := x(max(one.from, p.X.Min)), x(min(one.to, p.X.Max))
		to = max(to, from+2)
		c.SetColor(inkFault)
		c.Fill(vg.Rectangle{Min: vg.Point{X: from, Y: c.Min.Y}, Max: vg.Point{X: to, Y: c.Max.Y}}.Path())
		if one.letter != "" {
			c.FillText(textStyle(draw.XCenter, draw.YTop), vg.Point{X: (from + to) / 2, Y: c.Max.Y - 2}, one.letter)
		}
	}
}

// seam is a dashed line where a time is left out, in seconds; NaN: there is none.
type seam float64

func (t drawnTimeline) leftOut() seam {
	if t.Cut.Long() == 0 {
		return seam(math.NaN())
	}
	return seam(t.x(t.Cut.From))
}

// Plot implements plot.Plotter.
func (s seam) Plot(c draw.Canvas, p *plot.Plot) {
	if math.IsNaN(float64(s)) {
		return
	}
	x, _ := p.Transforms(&c)
	at := x(float64(s))
	c.StrokeLine2(draw.LineStyle{Color: inkText, Width: 1, Dashes: []vg.Length{2, 3}}, at, c.Min.Y, at, c.Max.Y)
}
