package bench

import (
	"bytes"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// The library that writes the log also reads it: it finds every sample, by its phase, and those under a fault apart.
func TestLogIsReadBack(t *testing.T) {
	m := sample.Run(t)
	r := &m.Rows[0]
	var b bytes.Buffer
	must.Succeed(t, Log(&b, r, m.Run.Started))
	samples := map[string]int64{}
	reader := hdrhistogram.NewHistogramLogReader(&b)
	last := map[string]int64{}
	for {
		h, err := reader.NextIntervalHistogram()
		must.Succeed(t, err)
		if h == nil {
			break
		}
		test, phase, _ := strings.Cut(h.Tag(), "/")
		samples[phase] += h.TotalCount()
		if h.TotalCount() == 0 || h.EndTimeMs()-h.StartTimeMs() != 1000 || h.StartTimeMs() < last[test] {
			t.Errorf("%s: %d samples from %d to %d ms", h.Tag(), h.TotalCount(), h.StartTimeMs(), h.EndTimeMs())
		}
		last[test] = h.StartTimeMs()
	}
	if got, want := samples["healthy"], r.Latency.Samples; got != want || want == 0 {
		t.Errorf("%d uncontended samples, want %d", got, want)
	}
	for i := range r.UnderFault {
		l := &r.UnderFault[i]
		if got := samples[l.Phase+"/under-fault"]; got != l.Samples {
			t.Errorf("%d samples under the fault of %s, want %d", got, l.Phase, l.Samples)
		}
	}
}
