package bench

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
)

// plotted reads a histogram as HdrHistogram's plotter does: lines of four columns, of which it takes the value and
// 1/(1-p).
func plotted(t rapid.TB, text string) (points [][2]float64) {
	t.Helper()
	for line := range strings.Lines(text) {
		fields := strings.FieldsFunc(strings.TrimSpace(line), func(r rune) bool { return r == ' ' })
		if strings.HasPrefix(line, "#") || len(fields) != 4 {
			continue
		}
		value, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			continue // the header
		}
		x, err := strconv.ParseFloat(fields[3], 64)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		points = append(points, [2]float64{value, x})
	}
	return points
}

func TestHistogramsArePlotted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l measure.Latency
		for _, ns := range rapid.SliceOfN(rapid.Int64Range(0, 2*int64(measure.MaxTrackable)), 1, 300).Draw(t, "ns") {
			must.Succeed(t, l.Record(ns))
		}
		var b bytes.Buffer
		must.Succeed(t, Histogram(&b, l))
		last := [2]float64{0, 1}
		points := plotted(t, b.String())
		if len(points) == 0 {
			t.Errorf("nothing is plotted:\n%s", &b)
		}
		for _, p := range points {
			if p[0] < last[0] || p[1] < last[1] || math.IsInf(p[1], 1) || p[0] > float64(int64(l.Max().D))/1e6 {
				t.Errorf("%v after %v, the longest is %d ns:\n%s", p, last, int64(l.Max().D), &b)
			}
			last = p
		}
		for _, want := range []string{
			fmt.Sprintf(" 1.000000000000 %10d\n#[Mean    = ", l.Samples), fmt.Sprintf("#[Max     = %12.6f, Total count    = %12d]\n#[Buckets = ", float64(int64(l.Max().D))/1e6, l.Samples),
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("there is no %q in\n%s", want, &b)
			}
		}
	})
}

func TestHistogramGolden(t *testing.T) {
	var b bytes.Buffer
	must.Succeed(t, Histogram(&b, sample.Run(t).Rows[0].Latency))
	sample.Golden(t, "uncontended.hgrm", b.Bytes())
}
