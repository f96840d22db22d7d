package report

import (
	"reflect"
	"testing"
)

func TestClocks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		history string
		want    Clocks
	}{
		{name: "no clock was moved", history: `
			0 nemesis phase paused
			1 p1 ask x
			5 p1 ok
			9 nemesis strike c1
			10 nemesis struck c1
			50 nemesis heal c1
			51 nemesis healed c1
			100 nemesis end paused`,
			want: Clocks{Reason: noClocks}},
		// p2 comes to x, which p1 holds; y has one holder.
		{name: "a lock is lost", history: `
			0 nemesis phase moved
			1 p1 ask x
			5 p1 ok
			9 nemesis jump all
			10 nemesis jumped all
			20 p2 ask x
			50 p2 ok
			55 p3 ask y
			60 p3 ok
			70 nemesis heal all
			71 nemesis healed all
			80 p1 release
			81 p2 release
			100 nemesis end moved
			101 p3 release`,
			want: Clocks{Phases: []ClockPhase{{Phase: "moved", Moved: []string{"jump: all"}, Used: 2, Lost: 1}}}},
		// Who comes after the release takes nothing from anybody; y is held, and lost only after the phase.
		{name: "no lock is lost", history: `
			0 nemesis phase moved
			1 p1 ask x
			5 p1 ok
			6 p4 ask y
			7 p4 ok
			9 nemesis jump all
			10 nemesis jumped all
			20 p2 ask x
			30 p1 release
			50 p2 ok
			70 nemesis heal all
			71 nemesis healed all
			100 nemesis end moved
			101 p2 release
			110 p3 ask y
			111 p3 ok
			120 p3 release
			121 p4 release`,
			want: Clocks{Phases: []ClockPhase{{Phase: "moved", Moved: []string{"jump: all"}, Used: 2}}}},
	} {
		all := ops(t, tt.history)
		if got := clocks(all, phases(all), holdsOf(t, all)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

func TestClocksMerge(t *testing.T) {
	c := Clocks{Reason: noClocks}
	c.merge(Clocks{Phases: []ClockPhase{{Phase: "a", Used: 2, Lost: 1}}})
	c.merge(Clocks{Reason: noClocks})
	c.merge(Clocks{Phases: []ClockPhase{{Phase: "a", Used: 2, Lost: 1}, {Phase: "b", Used: 5}}})
	if used, lost := c.total(); used != 9 || lost != 2 || c.Reason != "" || len(c.Phases) != 2 {
		t.Errorf("got %+v", c)
	}
}
