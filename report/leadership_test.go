package report

import (
	"reflect"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
)

func TestLeadership(t *testing.T) {
	none := unmeasured("nobody else led before the phase ended")
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
			want: Leadership{Reason: "nobody was granted the lock", Nobody: unmeasured("nobody was granted the lock"), Both: unmeasured("nobody was granted the lock")}},
		// Before the first grant nobody could have led, and after the last phase nobody is asked to.
		{name: "one leads all the time", history: `
			0 nemesis phase calm
			1 p1 ask x
			50 p1 ok
			100 nemesis end calm
			101 p1 release
			900 p2 ask x`,
			want: Leadership{Leaders: 1, Nobody: measured(0), Both: measured(0)}},
		// p1 is killed at 20 and leads no more; p2 leads from 60. Somebody waits or not: nobody leads.
		{name: "the leader is killed", history: `
			0 nemesis phase killed
			1 p1 ask x
			5 p1 ok
			20 nemesis kill c1
			25 p2 ask x
			30 p2 fail held
			40 p2 ask x
			60 p2 ok
			90 p12 ask x
			95 p3 ask x
			100 nemesis end killed
			101 p2 release`,
			want: Leadership{Leaders: 2, Nobody: measured(40 * milli), Both: measured(0), Successions: []Succession{{"killed", measured(40 * milli)}}}},
		// p1 stands still and still leads: two do from 50 to 80. In the second phase nobody takes over.
		{name: "two lead", history: `
			0 nemesis phase paused
			1 p1 ask x
			5 p1 ok
			9 nemesis strike c1
			10 nemesis struck c1
			20 p2 ask x
			50 p2 ok
			70 nemesis heal c1
			71 nemesis healed c1
			80 p1 abandon
			100 nemesis end paused
			100 nemesis phase cut
			110 nemesis strike c2
			111 nemesis struck c2
			150 nemesis heal c2
			151 nemesis healed c2
			200 nemesis end cut
			201 p2 release`,
			want: Leadership{Leaders: 2, Nobody: measured(0), Both: measured(30 * milli),
				Successions: []Succession{{"paused", measured(40 * milli)}, {"cut", none}}}},
		// The same leader once more is no other one.
		{name: "the leader comes back", history: `
			0 nemesis phase cut
			1 p1 ask x
			5 p1 ok
			9 nemesis strike c1
			10 nemesis struck c1
			20 p1 release
			30 p1 ask x
			35 p1 ok
			50 nemesis heal c1
			51 nemesis healed c1
			60 nemesis end cut
			61 p1 release`,
			want: Leadership{Leaders: 2, Nobody: measured(15 * milli), Both: measured(0), Successions: []Succession{{"cut", none}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := ops(t, tt.history)
			if got := leadership(phases(all), holdsOf(t, all)); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestLeadershipMerges(t *testing.T) {
	none := unmeasured("none")
	a := Leadership{Leaders: 2, Nobody: measured(5), Both: measured(1), Successions: []Succession{{"paused", measured(7)}, {"cut", measured(9)}}}
	b := Leadership{Leaders: 3, Nobody: measured(4), Both: measured(2), Successions: []Succession{{"paused", measured(8)}, {"cut", none}}}
	nothing := Leadership{Reason: "nobody was granted the lock"}
	want := Leadership{Leaders: 5, Nobody: measured(5), Both: measured(2), Successions: []Succession{{"paused", measured(8)}, {"cut", none}}}
	for _, order := range [][]Leadership{{a, b, nothing}, {nothing, b, a}, {{}, a, b}} {
		var got Leadership
		for _, l := range order {
			got.merge(l)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if s := want.Slowest(); s.Measured {
		t.Errorf("one never came, and the slowest took %v", s)
	}
}

// A waiter that is granted the lock of the leader that is killed shows that the lock goes on, though it asked before; an answer
// that was under way as the fault struck shows nothing.
func TestAWaiterTakesOver(t *testing.T) {
	const before = `
		0 nemesis phase p
		1 p1 ask x
		5 p1 ok
		8 p2 ask x`
	const after = `
		50 p3 ask x
		90 p3 fail held
		100 nemesis heal c1
		101 nemesis healed c1
		102 nemesis end p`
	for _, tt := range []struct {
		name, during string
		want         What
	}{
		{"the leader was killed", `
			10 nemesis kill c1
			11 p2 ok`, GoesOn},
		{"the leader gave up", `
			9 nemesis strike c1
			10 nemesis struck c1
			20 p1 abandon
			30 p2 ok`, GoesOn},
		{"the leader had given up", `
			9 p1 release
			9 nemesis strike c1
			10 nemesis struck c1
			11 p2 ok`, Blocks},
		{"nobody takes over", `
			9 nemesis strike c1
			10 nemesis struck c1
			60 p2 fail held`, Blocks},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := measure(t, results.Test{Name: "t"}, 20*time.Millisecond, ops(t, before+tt.during+after))
			if got := m.Phases[0].What; got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
