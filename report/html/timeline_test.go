package html

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
)

func TestTimelinePlot(t *testing.T) {
	all := histories.Read(t, histories.Overlapping)
	m := measureOps(t, all)
	p, err := newTimelinePlot("Lock <1>", &report.TestRow{Measured: m})
	if err != nil {
		t.Fatal(err)
	}
	want := "At most 100 grants per second; p99 of a window at most 100 ms; at most 2 holders of a lock at once. Shaded are the faults A cut."
	if p.Picture.Desc != want {
		t.Errorf("got  %s\nwant %s", p.Picture.Desc, want)
	}
	body := string(p.Picture.Body)
	for _, part := range []string{"var(--fault)", "var(--bad)", "var(--series-0)", ">A<", ">800 ms<", "grants per second", "p99 of an acquire", "most holders of one lock at once"} {
		if part = strings.ReplaceAll(part, ">800 ms<", ">800 ms<"); !strings.Contains(body, part) {
			t.Errorf("the picture has no %q", part)
		}
	}
	if strings.Contains(body, "#FF") || strings.Contains(body, "Liberation") {
		t.Errorf("the picture brings colours or fonts of its own:\n%s", body)
	}
}

func TestThemedKnowsEveryInk(t *testing.T) {
	for i := range inkSeries + seriesInks {
		r, g, b, _ := i.RGBA()
		if r>>8 != 0xff || g != 0 || b>>8 != uint32(0x10*(uint8(i)+1)) {
			t.Errorf("ink %d is %x %x %x", i, r, g, b)
		}
	}
	if _, err := themed("nothing"); err == nil {
		t.Error("what is no SVG is taken for one")
	}
}

// Whatever the times of a history are, its axis has an end.
func TestTicksOfOddTimes(t *testing.T) {
	const far = 9_000_000_000 * sample.Sec
	for _, line := range []measure.Timeline{
		{Window: 10 * time.Millisecond, Grants: make([]int, 120), Cut: measure.Cut{From: sample.Sec, To: 86_400 * sample.Sec}},
		{Window: 10 * time.Millisecond, Grants: make([]int, 120), Cut: measure.Cut{From: sample.Sec, To: far}},
		{Begin: far, Window: 10 * time.Millisecond, Grants: make([]int, 120)},
	} {
		if ticks := (drawnTimeline{&line}).ticks(1.2, true); len(ticks) < 2 || len(ticks) > maxTicks || ticks[0].Value != 0 {
			t.Errorf("%+v: %v", line.Cut, ticks)
		}
	}
	if ticks := (drawnTimeline{&measure.Timeline{Cut: measure.Cut{From: sample.Sec, To: 86_400 * sample.Sec}}}).ticks(2, true); ticks[len(ticks)-1].Label != "86400 s" {
		t.Errorf("%v", ticks)
	}
}

func TestTimelineOfNothing(t *testing.T) {
	if p, err := newTimelinePlot("d", &report.TestRow{}); p != nil || err != nil {
		t.Errorf("%+v %v", p, err)
	}
}

// Where a long time is left out, the axis and the picture say so.
func TestTimelinePlotOfACut(t *testing.T) {
	m := measureOps(t, histories.Read(t, histories.Idle))
	var labels []string
	for _, tick := range (drawnTimeline{&m.Timeline}).ticks(.218, true) {
		labels = append(labels, fmt.Sprintf("%s at %.3f", tick.Label, tick.Value))
	}
	if want := []string{"0 at 0.000", "50.0 ms at 0.050", "100 ms at 0.100", "950 ms at 0.168", "1.00 s at 0.218"}; !slices.Equal(labels, want) {
		t.Errorf("ticks %q", labels)
	}
	p, err := newTimelinePlot("Lock", &report.TestRow{Measured: m})
	if err != nil {
		t.Fatal(err)
	}
	if p.LeftOut != "782 ms" || !strings.Contains(string(p.Picture.Body), "stroke-dasharray") {
		t.Errorf("left out %q", p.LeftOut)
	}
}

func measureOps(t *testing.T, ops []history.Op) measure.Measurement {
	t.Helper()
	m, err := measure.Test(&results.Run{}, &results.Test{}, measure.Ops(ops), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
