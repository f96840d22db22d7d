package measure

import (
	"reflect"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/histories"
)

func TestClocks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		history string
		want    Clocks
	}{
		{name: "no clock was moved", history: `
			0 nemesis phase paused
			1,5 p1 ask x
			9,10 nemesis inject c1
			50,51 nemesis heal c1
			100 nemesis end paused`,
			want: Clocks{Reason: noClocks}},
		// p2 comes to x, which p1 holds; y has one holder.
		{name: "a lock is lost", history: `
			0 nemesis phase moved
			1,5 p1 ask x
			9,10 nemesis jump all
			20,50 p2 ask x
			55,60 p3 ask y
			70,71 nemesis heal all
			80 p1 release
			81 p2 release
			100 nemesis end moved
			101 p3 release`,
			want: Clocks{Phases: []ClockPhase{{Phase: "moved", Moved: []string{"jump: all"}, Used: 2, Lost: 1}}}},
		// Who comes after the release takes nothing from anybody; y is held, and lost only after the phase.
		{name: "no lock is lost", history: `
			0 nemesis phase moved
			1,5 p1 ask x
			6,7 p4 ask y
			9,10 nemesis jump all
			20 p2 ask x
			30 p1 release
			50 p2 ok
			70,71 nemesis heal all
			100 nemesis end moved
			101 p2 release
			110,111,120 p3 ask y
			121 p4 release`,
			want: Clocks{Phases: []ClockPhase{{Phase: "moved", Moved: []string{"jump: all"}, Used: 2}}}},
	} {
		all := histories.Read(t, tt.history)
		if got := tables(t, all, 0).Clocks; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestClocksMerge(t *testing.T) {
	c := Clocks{Reason: noClocks}
	c.Merge(Clocks{Phases: []ClockPhase{{Phase: "a", Used: 2, Lost: 1}}})
	c.Merge(Clocks{Reason: noClocks})
	c.Merge(Clocks{Phases: []ClockPhase{{Phase: "a", Used: 2, Lost: 1}, {Phase: "b", Used: 5}}})
	if used, lost := c.Total(); used != 9 || lost != 2 || c.Reason != "" || len(c.Phases) != 2 {
		t.Errorf("got %+v", c)
	}
}
