package measure

import (
	"reflect"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
)

func TestLeadership(t *testing.T) {
	none := NoSpan("nobody else led before the phase ended")
	for _, tt := range []struct {
		name    string
		history string
		want    Leadership
	}{
		{name: "nobody leads at all", history: `
			0 nemesis phase calm
			1 p1 ask x
			90 p1 fail held
			100 nemesis end calm`,
			want: Leadership{Reason: "nobody was granted the lock", Nobody: NoSpan("nobody was granted the lock"), Both: NoSpan("nobody was granted the lock")}},
		// Before the first grant nobody could have led, and after the last phase nobody is asked to.
		{name: "one leads all the time", history: `
			0 nemesis phase calm
			1,50 p1 ask x
			100 nemesis end calm
			101 p1 release
			900 p2 ask x`,
			want: Leadership{Leaders: 1, Nobody: SpanOf(0), Both: SpanOf(0)}},
		// p1 is killed at 20 and leads no more; p2 leads from 60. Somebody waits or not: nobody leads.
		{name: "the leader is killed", history: `
			0 nemesis phase killed
			1,5 p1 ask x
			20 nemesis kill c1
			25 p2 ask x
			30 p2 fail held
			40,60 p2 ask x
			90 p12 ask x
			95 p3 ask x
			100 nemesis end killed
			101 p2 release`,
			want: Leadership{Leaders: 2, Nobody: SpanOf(40 * milli), Both: SpanOf(0), Successions: []Succession{{"killed", SpanOf(40 * milli)}}}},
		// p1 stands still and still leads: two do from 50 to 80. In the second phase nobody takes over.
		{name: "two lead", history: `
			0 nemesis phase paused
			1,5 p1 ask x
			9,10 nemesis inject c1
			20,50 p2 ask x
			70,71 nemesis heal c1
			80 p1 abandon
			100 nemesis end paused
			100 nemesis phase cut
			110,111 nemesis inject c2
			150,151 nemesis heal c2
			200 nemesis end cut
			201 p2 release`,
			want: Leadership{Leaders: 2, Nobody: SpanOf(0), Both: SpanOf(30 * milli),
				Successions: []Succession{{"paused", SpanOf(40 * milli)}, {"cut", none}}}},
		// The same leader once more is no other one.
		{name: "the leader comes back", history: `
			0 nemesis phase cut
			1,5 p1 ask x
			9,10 nemesis inject c1
			20 p1 release
			30,35 p1 ask x
			50,51 nemesis heal c1
			60 nemesis end cut
			61 p1 release`,
			want: Leadership{Leaders: 2, Nobody: SpanOf(15 * milli), Both: SpanOf(0), Successions: []Succession{{"cut", none}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := histories.Read(t, tt.history)
			if got := tables(t, all, 0).Leadership; !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestLeadershipMerges(t *testing.T) {
	none := NoSpan("none")
	a := Leadership{Leaders: 2, Nobody: SpanOf(5), Both: SpanOf(1), Successions: []Succession{{"paused", SpanOf(7)}, {"cut", SpanOf(9)}}}
	b := Leadership{Leaders: 3, Nobody: SpanOf(4), Both: SpanOf(2), Successions: []Succession{{"paused", SpanOf(8)}, {"cut", none}}}
	nothing := Leadership{Reason: "nobody was granted the lock"}
	want := Leadership{Leaders: 5, Nobody: SpanOf(5), Both: SpanOf(2), Successions: []Succession{{"paused", SpanOf(8)}, {"cut", none}}}
	for _, order := range [][]Leadership{{a, b, nothing}, {nothing, b, a}, {{}, a, b}} {
		var got Leadership
		for _, l := range order {
			got.Merge(l)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if s := want.Slowest(); s.Measured {
		t.Errorf("one never came, and the slowest took %v", s)
	}
}

// A waiter that is granted the lock of the leader that is killed shows that the lock goes on, though it asked before;
// an answer that was under way as the fault struck shows nothing.
func TestAWaiterTakesOver(t *testing.T) {
	const before = `
		0 nemesis phase p
		1,5 p1 ask x
		8 p2 ask x`
	const after = `
		50 p3 ask x
		90 p3 fail held
		100,101 nemesis heal c1
		102 nemesis end p`
	for _, tt := range []struct {
		name, during string
		want         What
	}{
		{"the leader was killed", `
			10 nemesis kill c1
			11 p2 ok`, GoesOn},
		{"the leader gave up", `
			9,10 nemesis inject c1
			20 p1 abandon
			30 p2 ok`, GoesOn},
		{"the leader had given up", `
			9 p1 release
			9,10 nemesis inject c1
			11 p2 ok`, Blocks},
		{"nobody takes over", `
			9,10 nemesis inject c1
			60 p2 fail held`, Blocks},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := measure(t, results.Test{Name: "t"}, 20*time.Millisecond, histories.Read(t, before+tt.during+after))
			if got := m.Phases[0].What; got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
