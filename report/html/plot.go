package html

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// picture is an SVG for the page. Its colours are variables of the page, so that it follows the reader's theme.
type picture struct {
	Width, Height int // in CSS pixels
	// Title and Desc are for who does not see it.
	Title, Desc string
	// Body is what is inside the svg element.
	Body template.HTML
}

// ink is a colour of the page. The plots are drawn in stand-ins for them.
type ink uint8

// The inks; those from inkSeries on tell up to seriesInks drivers apart.
const (
	inkText ink = iota
	inkGrid
	inkFault
	inkBad
	inkSeries

	seriesInks = 8
)

// variable is the ink's name in the style sheet.
func (i ink) variable() string {
	if i >= inkSeries {
		return fmt.Sprintf("var(--series-%d)", (i-inkSeries)%seriesInks)
	}
	return "var(--" + [...]string{"soft", "line", "fault", "bad"}[i] + ")"
}

// RGBA makes an ink a colour that nobody else uses.
func (i ink) RGBA() (r, g, b, a uint32) {
	return color.RGBA{R: 0xff, G: 0x00, B: 0x10 * (uint8(i) + 1), A: 0xff}.RGBA()
}

// written is how the SVG names the stand-in.
func (i ink) written() string { return fmt.Sprintf("#FF00%02X", 0x10*(uint8(i)+1)) }

// seriesDash tells lines of the same ink apart, and those of inks that a reader does not tell apart.
func seriesDash(n int) []vg.Length {
	return [][]vg.Length{nil, {6, 2}, {2, 2}, {8, 2, 2, 2}}[(n/2)%4]
}

// newPlot makes an empty plot with a grid, and with what is to be drawn behind that. Its axes are linear: whoever
// wants another scale transforms the values.
func newPlot(xMax, yMin, yMax float64, x, y []plot.Tick, behind ...plot.Plotter) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, xMax, yMin, yMax
	for _, a := range []struct {
		axis  *plot.Axis
		ticks []plot.Tick
	}{{&p.X, x}, {&p.Y, y}} {
		a.axis.Tick.Marker = plot.ConstantTicks(a.ticks)
		a.axis.Tick.Label = textStyle(a.axis.Tick.Label.XAlign, a.axis.Tick.Label.YAlign)
		a.axis.Padding = 5
		a.axis.LineStyle.Width, a.axis.Tick.LineStyle.Width = 0, 0
	}
	grid := plotter.NewGrid()
	grid.Vertical = draw.LineStyle{Color: inkGrid, Width: 1}
	grid.Horizontal = grid.Vertical
	p.Add(append(behind, grid)...)
	return p
}

// fontSize is that of all text in plots, in CSS pixels.
const fontSize = 11

// line adds a line through the points; those that are not numbers interrupt it.
func line(p *plot.Plot, points plotter.XYs, style draw.LineStyle) error {
	for len(points) > 0 {
		end := slices.IndexFunc(points, func(at plotter.XY) bool { return math.IsNaN(at.Y) })
		if end < 0 {
			end = len(points)
		}
		if end > 1 {
			l, err := plotter.NewLine(points[:end])
			if err != nil {
				return fmt.Errorf("draw a line: %w", err)
			}
			l.LineStyle = style
			p.Add(l)
		}
		points = points[min(end+1, len(points)):]
	}
	return nil
}

// panel is a plot with a title above its left end; without one there is no room for it.
type panel struct {
	title string
	plot  *plot.Plot
}

// drawPanels draws plots with the same x axis below each other.
func drawPanels(width, height int, panels []panel) (picture, error) {
	canvas := vgsvg.NewWith(vgsvg.UseWH(vg.Length(width), vg.Length(height)))
	column := make([][]*plot.Plot, len(panels))
	for i := range panels {
		column[i] = []*plot.Plot{panels[i].plot}
	}
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadTop: 8, PadBottom: 2, PadRight: 14}
	if panels[0].title != "" {
		tiles.PadTop, tiles.PadY = 18, 20
	}
	for i, tile := range plot.Align(column, tiles, draw.New(canvas)) {
		panels[i].plot.Draw(tile[0])
		data := panels[i].plot.DataCanvas(tile[0])
		data.FillText(textStyle(draw.XLeft, draw.YBottom), vg.Point{X: data.Min.X, Y: data.Max.Y + 4}, panels[i].title)
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return picture{}, fmt.Errorf("write a plot: %w", err)
	}
	body, err := themed(b.String())
	return picture{Width: width, Height: height, Body: body}, err
}

// textStyle is that of all text in plots.
func textStyle(x draw.XAlignment, y draw.YAlignment) text.Style {
	f := plot.DefaultFont
	f.Variant = "Sans"
	return text.Style{Color: inkText, Font: font.From(f, fontSize), XAlign: x, YAlign: y, Handler: plot.DefaultTextHandler}
}

// themed takes what is inside the svg element, and puts the page's colours and its font into it.
func themed(svg string) (template.HTML, error) {
	_, body, ok := strings.Cut(svg, "<svg ")
	if ok {
		_, body, ok = strings.Cut(body, ">")
	}
	end := strings.LastIndex(body, "</svg>")
	if !ok || end < 0 {
		return "", errors.New("what the plot library wrote is no SVG")
	}
	pairs := []string{
		fmt.Sprintf(`style="font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;font-size:%dpx;fill:%s"`, fontSize, inkText.written()), "",
		"\n\t", " ", "\n", "",
	}
	for i := range inkSeries + seriesInks {
		pairs = append(pairs, i.written(), i.variable())
	}
	body = strings.NewReplacer(pairs...).Replace(body[:end])
	// The library escapes the texts in it.
	return template.HTML(blankText().ReplaceAllString(body, "")), nil
}

// blankText finds the labels of ticks that have none.
func blankText() *regexp.Regexp { return regexp.MustCompile(`<text [^>]*>` + noLabel + `</text>`) }
