package measure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
)

func overlap(begin, end int64, grants ...checker.GrantID) checker.Incident {
	return checker.Incident{Lock: "x", Kinds: []string{"overlap"}, Grants: grants, Begin: begin * milli, End: end * milli}
}

func TestScene(t *testing.T) {
	all := histories.Read(t, histories.Overlapping)
	verdict := results.TestVerdict{
		Result: checker.Result{Incidents: []checker.Incident{
			overlap(400, 550, checker.GrantID{Process: 1, Grant: 1}, checker.GrantID{Process: 2, Grant: 1}, checker.GrantID{Process: 2, Grant: 2}),
			overlap(400, 550, checker.GrantID{Process: 7, Grant: 1}), // of another history
			overlap(400, 5000, checker.GrantID{Process: 1, Grant: 1}),
			overlap(400, 399, checker.GrantID{Process: 1, Grant: 1}),
		}},
		Explanations: []explain.Explanation{{Number: 1, Violations: []checker.Violation{
			{Kind: "overlap", At: 400 * milli, By: checker.Grant{GrantID: checker.GrantID{Process: 2, Grant: 1}}},
			{Kind: "lost_update", At: 540 * milli, By: checker.Grant{GrantID: checker.GrantID{Process: 2, Grant: 2}}},
			{Kind: "stale_write", At: 9000 * milli, By: checker.Grant{GrantID: checker.GrantID{Process: 2, Grant: 2}}}, // not in the picture
			{Kind: "stale_write", At: 500 * milli, By: checker.Grant{GrantID: checker.GrantID{Process: 3, Grant: 1}}},  // of nobody in the picture
		}}},
	}
	m, err := Test(&results.Run{}, &results.Test{}, Ops(all), &verdict)
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
	s, ok := scene(t, checker.Incident{Lock: "x", Grants: grants, Begin: 90021 * milli, End: 90121 * milli}, b.String())
	if !ok || s.From < 89000*milli || len(s.Lanes) != shownLanes || s.Hidden != 11-shownLanes {
		t.Errorf("%v, from %d, %d lanes, %d hidden", ok, s.From, len(s.Lanes), s.Hidden)
	}
}

// An incident that is a moment is shown with the holds that it is about.
func TestSceneOfAMoment(t *testing.T) {
	s, ok := scene(t, checker.Incident{Lock: "x", Grants: []checker.GrantID{{Process: 1, Grant: 1}, {Process: 2, Grant: 1}}, Begin: 20 * milli, End: 20 * milli},
		"0 p1 ask x\n 1 p1 ok\n 10 p2 ask x\n 20 p2 ok\n 25 p1 release\n 28 p2 release")
	if !ok || s.To < 28*milli || len(s.Both) != 1 {
		t.Errorf("%v %+v", ok, s)
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
	if got := Told(all); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// scene is that of an incident, if there is one.
func scene(t *testing.T, in checker.Incident, text string) (Scene, bool) {
	t.Helper()
	m, err := Test(&results.Run{}, &results.Test{}, Ops(histories.Read(t, text)), &results.TestVerdict{Result: checker.Result{Incidents: []checker.Incident{in}}})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := m.Scenes[0]
	return s, ok
}
