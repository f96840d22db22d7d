package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/explain"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
)

// overlapping is a history in which c1 is cut off and c2 is granted the lock twice, and a third time when c1 holds it no more.
const overlapping = `
	0 nemesis phase cut
	0 p1 ask x
	100 p1 ok
	110 nemesis strike c1
	111 nemesis struck c1
	300 p2 ask x
	400 p2 ok
	450 p2 release
	460 p2 ask x
	500 p2 ok
	550 p2 release
	600 nemesis heal c1
	601 nemesis healed c1
	620 p1 release
	630 p2 ask x
	640 p2 ok
	650 p2 release
	700 p3 ask y
	710 p3 ok
	800 p3 release
	1000 nemesis end cut`

func overlap(begin, end int64, grants ...checker.GrantID) checker.Incident {
	return checker.Incident{Lock: "x", Kinds: []string{"overlap"}, Grants: grants, Begin: begin * milli, End: end * milli}
}

func TestScene(t *testing.T) {
	all := ops(t, overlapping)
	verdict := results.TestVerdict{
		Result: checker.Result{Incidents: []checker.Incident{
			overlap(400, 550, checker.GrantID{Process: 1, Grant: 1}, checker.GrantID{Process: 2, Grant: 1}, checker.GrantID{Process: 2, Grant: 2}),
			overlap(400, 550, checker.GrantID{Process: 7, Grant: 1}), // of another history
			overlap(400, 5000, checker.GrantID{Process: 1, Grant: 1}),
			overlap(400, 399, checker.GrantID{Process: 1, Grant: 1}),
		}},
		Explanations: []explain.Explanation{{Number: 1, Violations: []explain.Violation{
			{Kind: "overlap", At: 400 * milli, By: checker.GrantID{Process: 2, Grant: 1}},
			{Kind: "lost_update", At: 540 * milli, By: checker.GrantID{Process: 2, Grant: 2}},
			{Kind: "stale_write", At: 9000 * milli, By: checker.GrantID{Process: 2, Grant: 2}}, // not in the picture
			{Kind: "stale_write", At: 500 * milli, By: checker.GrantID{Process: 3, Grant: 1}},  // of nobody in the picture
		}}},
	}
	m, err := Measure(&results.Run{}, &results.Test{}, all, &verdict)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Scenes) != 1 {
		t.Fatalf("%d scenes, want that of the first incident: %+v", len(m.Scenes), m.Scenes)
	}
	margin := (550 - 100) * milli / 20
	want := Scene{
		From: 100*milli - margin, To: 550*milli + margin, At: 400 * milli,
		Lanes: []Lane{
			{Client: "c1", Process: 1, Holds: []Interval{{100 * milli, 620 * milli}}},
			{Client: "c2", Process: 2, Holds: []Interval{{400 * milli, 450 * milli}, {500 * milli, 550 * milli}}},
		},
		Both:       []Interval{{400 * milli, 450 * milli}, {500 * milli, 550 * milli}},
		Faults:     []NamedInterval{{Interval{111 * milli, 600 * milli}, "cut"}},
		Violations: []Mark{{540 * milli, 1, "lost_update"}},
	}
	if got := fmt.Sprintf("%+v", m.Scenes[0]); got != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %s\nwant %+v", got, want)
	}
}

// Of a hold that began long before, only the end is shown, and of many processes only some.
func TestSceneIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("0 p1 ask x\n 1 p1 ok\n")
	grants := []checker.GrantID{{Process: 1, Grant: 1}}
	for p := 2; p < 12; p++ {
		fmt.Fprintf(&b, "%d p%d ask x\n %d p%d ok\n %d p%d release\n", 90000+10*p, p, 90001+10*p, p, 90005+10*p, p)
		grants = append(grants, checker.GrantID{Process: int64(p), Grant: 1})
	}
	b.WriteString("99999 p1 release")
	s, ok := newScene(&checker.Incident{Lock: "x", Grants: grants, Begin: 90021 * milli, End: 90121 * milli}, holdsOf(t, ops(t, b.String())))
	if !ok || s.From < 89000*milli || len(s.Lanes) != shownLanes || s.Hidden != 11-shownLanes {
		t.Errorf("%v, from %d, %d lanes, %d hidden", ok, s.From, len(s.Lanes), s.Hidden)
	}
	if p := s.picture("x"); !strings.Contains(string(p.Holds), "M0 ") {
		t.Errorf("the long hold does not begin at the left end: %s", p.Holds)
	}
}

// An incident that is a moment is shown with the holds that it is about.
func TestSceneOfAMoment(t *testing.T) {
	s, ok := newScene(&checker.Incident{Lock: "x", Grants: []checker.GrantID{{Process: 1, Grant: 1}, {Process: 2, Grant: 1}}, Begin: 20 * milli, End: 20 * milli},
		holdsOf(t, ops(t, "0 p1 ask x\n 1 p1 ok\n 10 p2 ask x\n 20 p2 ok\n 25 p1 release\n 28 p2 release")))
	if !ok || s.To < 28*milli || len(s.Both) != 1 {
		t.Errorf("%v %+v", ok, s)
	}
}

func TestScenePicture(t *testing.T) {
	s := Scene{
		From: 0, To: 1000, At: 400, Hidden: 2,
		Lanes: []Lane{{Client: "<c1>", Process: 1, Holds: []Interval{{100, 900}}, Writes: []int64{850, 120}}, {Client: "c2", Process: 2, Holds: []Interval{{400, 450}, {450, 500}, {600, 700}}}},
		Both:  []Interval{{400, 500}}, Faults: []NamedInterval{{Interval{-50, 2000}, "cut"}}, Violations: []Mark{{850, 0, "stale_write"}},
	}
	p := s.picture("lock-1")
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

func TestTheMostTellingIncidentsAreTold(t *testing.T) {
	var all []checker.Incident
	for i := range 30 {
		in := checker.Incident{Kinds: []string{"overlap"}, Begin: int64(i)}
		switch i {
		case 5:
			in.Kinds = []string{"stuck_lock"}
		case 27:
			in.Kinds = []string{"lost_update"}
		case 29:
			in.Kinds = []string{"lost_update", "overlap"}
		}
		all = append(all, in)
	}
	want := []int{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 27, 29}
	if got := telling(all); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A page that is as full as it gets stays small enough to be sent by mail.
func TestThePageStaysSmall(t *testing.T) {
	f := fixtureBuilder{ops: map[string][]history.Op{}}
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
		result.Incidents = append(result.Incidents, checker.Incident{Lock: "x", Kinds: []string{"overlap"}, Grants: ids, Begin: (base + 25) * milli, End: (base + 1950) * milli, Explanation: "two held it"})
	}
	history := ops(t, b.String())
	every := map[string]*checker.Result{"off.on": &result, "off.off": &result, "on.on": &result, "on.off": &result}
	for d := range 16 {
		f.driver(results.Driver{Name: fmt.Sprint("d", d), Title: fmt.Sprint("Lock ", d), Nodes: 3, Token: "t"}, history, every)
	}
	measured := map[string]Measurement{}
	m, err := Measure(&f.run, &f.run.Tests[0], history, &f.verdicts.Tests[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.run.Tests {
		measured[f.run.Tests[i].Name] = m
	}
	page := render(t, HTML, NewModel(f.run, f.verdicts, true, measured))
	if n := strings.Count(page, `<svg class="scene"`); n < shownPictures/2 || n > shownPictures {
		t.Errorf("%d pictures of incidents", n)
	}
	if len(page) > 2_000_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	t.Logf("%d bytes", len(page))
}
