package html

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
	"github.com/lockbench/lockbench/report/measure"
)

func TestScenePicture(t *testing.T) {
	s := measure.Scene{
		From: 0, To: 1000, At: 400, Hidden: 2,
		Lanes: []measure.Lane{{Client: "<c1>", Process: 1, Holds: []measure.Interval{{From: 100, To: 900}}, Writes: []int64{850, 120}}, {Client: "c2", Process: 2, Holds: []measure.Interval{{From: 400, To: 450}, {From: 450, To: 500}, {From: 600, To: 700}}}},
		Both:  []measure.Interval{{From: 400, To: 500}}, Faults: []measure.NamedInterval{{Interval: measure.Interval{From: -50, To: 2000}, Name: "cut"}}, Violations: []measure.Mark{{At: 850, Lane: 0, Kind: "stale_write"}},
	}
	p := drawnScene{&s}.picture("lock-1")
	for _, want := range []struct{ got, want string }{
		{string(p.Holds), `d="M100 39h800.0v12H100zM400 73h100.0v12H400zM600 73h100.0v12H600z"`},
		{string(p.Both), `d="M400 20h100.0v74H400z"`},
		{string(p.Writes), `d="M120 47h1.0v4H120zM850 47h1.0v4H850z"`},
		{fmt.Sprint(p.Marks), "[{85 45 stale write}]"},
		{fmt.Sprint(p.Faults), "[{0 100 cut 0 start}]"},
		{p.Desc, "Times count from the incident's begin. <c1> (process 1) held the lock from −300 ns to 500 ns; c2 (process 2) held the lock 3 times; cut −450 ns to 1.60 µs; stale write at 450 ns."},
	} {
		if want.got != want.want {
			t.Errorf("got  %s\nwant %s", want.got, want.want)
		}
	}
	var labels []string
	for _, tick := range p.Ticks {
		labels = append(labels, tick.Label)
	}
	if !slices.Contains(labels, "0") || len(labels) < 3 || len(labels) > 7 {
		t.Errorf("the axis says %q", labels)
	}
}

// A page that is as full as it gets stays small enough to be sent by mail.
func TestThePageStaysSmall(t *testing.T) {
	f := sample.Builder{Ops: map[string][]history.Op{}}
	var b strings.Builder
	result := checker.Result{Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: "overlaps"}}
	for i := range int64(25) {
		base, ids := i*2000, []checker.GrantID{{Process: 1, Grant: i + 1}}
		fmt.Fprintf(&b, "%d p1 ask x\n %d p1 ok\n", base, base+1)
		for at := base + 10; at < base+1900; at += 60 {
			for p := int64(2); p < 8; p++ {
				fmt.Fprintf(&b, "%d p%d ask x\n %d p%d ok\n %d p%d release\n", at+p*7, p, at+p*7+1, p, at+p*7+4, p)
			}
			ids = append(ids, checker.GrantID{Process: 2, Grant: int64(len(ids)) + i*32}, checker.GrantID{Process: 3, Grant: int64(len(ids)) + i*32})
		}
		fmt.Fprintf(&b, "%d p1 release\n", base+1950)
		result.Incidents = append(result.Incidents, checker.Incident{Lock: "x", Kinds: []string{"overlap"}, Grants: ids, Begin: (base + 25) * sample.Milli, End: (base + 1950) * sample.Milli})
	}
	history := histories.Read(t, b.String())
	every := map[string]*checker.Result{"off.on": &result, "off.off": &result, "on.on": &result, "on.off": &result}
	for d := range 16 {
		f.Driver(results.Driver{Name: fmt.Sprint("d", d), Title: fmt.Sprint("Lock ", d), Nodes: 3, Token: "t"}, history, every)
	}
	measured := map[string]measure.Measurement{}
	m, err := measure.Test(&f.Run, &f.Run.Tests[0], measure.Ops(history), &f.Verdicts.Tests[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.Run.Tests {
		measured[f.Run.Tests[i].Name] = m
	}
	page := sample.Render(t, Render, report.NewModel(f.Run, f.Verdicts, true, measured))
	if n := strings.Count(page, `<svg class="scene"`); n < shownPictures/2 || n > shownPictures {
		t.Errorf("%d pictures of incidents", n)
	}
	if len(page) > 2_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	t.Logf("%d bytes", len(page))
}
