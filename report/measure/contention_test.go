package measure

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/histories"
)

func TestContention(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name    string
		history string
		workers int // 0: not known
		want    Contention
		handOff []int64 // least, longest and number of the hand-offs, in ms; nil: none
		givenUp int64   // those that never came
	}{
		{name: "one worker asks", history: `
			0 nemesis phase calm
			10,20,30 p1 ask x
			100 nemesis end calm`,
			want: Contention{Reason: noContention},
		},
		{name: "only under a fault", history: `
			0 nemesis phase cut
			1,2 nemesis inject c1
			10 p1 ask x
			11 p2 ask x
			20 p1 ok
			30 p1 release
			35 p2 ok
			40 p2 release
			50,51 nemesis heal c1
			100 nemesis end cut`,
			want: Contention{Reason: noContention},
		},
		{name: "each asks for another lock", history: `
			0 nemesis phase calm
			10 p1 ask x
			11 p2 ask y
			20 p1 ok
			20 p2 ok
			30 p1 release
			30 p2 release
			100 nemesis end calm`,
			want: Contention{Reason: noContention},
		},
		// From the first grant at 20 to the end at 100: free from 30 to 35 while p2 waits, from 40 while nobody does,
		// from 50 to 58 while p1 waits, and held to the end.
		{name: "handed on once", history: `
			0 nemesis phase calm
			10 p1 ask x
			11 p2 ask x
			20 p1 ok
			30 p1 release
			35 p2 ok
			40 p2 release
			50,58 p1 ask x
			100 nemesis end calm`,
			want: Contention{
				Workers: 2, Grants: 3, Luckiest: 2. / 3, Unluckiest: 1. / 3,
				Idle: 13 * ms, LongestIdle: 8 * ms, Watched: 80 * ms,
			},
			handOff: []int64{5, 5, 1},
		},
		// p3 is never granted; its time-out at 25 is no end of the wait, for it asks again. p2 waits on at the end.
		{name: "one has no luck", history: `
			0 nemesis phase calm
			0 p1 ask x
			5 p3 ask x
			10 p1 ok
			20 p1 abandon
			25 p3 fail context deadline exceeded
			25 p3 ask x
			30,32,40 p2 ask x
			45 p2 ask x
			60 nemesis end calm
			65 p2 info
			65 p3 info`,
			want: Contention{
				Workers: 3, Grants: 2, NotGranted: 1, Luckiest: .5, Unluckiest: 0,
				Idle: 32 * ms, LongestIdle: 20 * ms, Watched: 50 * ms,
			},
			handOff: []int64{12, 12, 1}, givenUp: 1,
		},
		// Process 3 is worker 1 under a new number. It gave up once while nobody held the lock: what it is granted
		// later is no hand-off.
		{name: "a worker goes on under a new number", workers: 2, history: `
			0 nemesis phase calm
			0 p1 ask x
			0,10,20 p0 ask x
			22 p1 info who knows
			23,30,40 p3 ask x
			40 nemesis end calm`,
			want: Contention{
				Workers: 2, Grants: 2, NotGranted: 1, Luckiest: .5, Unluckiest: .5,
				Idle: 9 * ms, LongestIdle: 7 * ms, Watched: 30 * ms,
			},
			givenUp: 1,
		},
		// p2 is granted the lock after the end of the phase, p3 never.
		{name: "late and never", history: `
			0 nemesis phase calm
			0 p1 ask x
			1 p2 ask x
			2 p3 ask x
			10 p1 ok
			20 p1 release
			30 nemesis end calm
			50 p2 ok
			60 p2 release
			70 p3 ok
			80 p3 release
			90 p1 ask x
			95 p1 fail held`,
			want: Contention{
				Workers: 3, Grants: 1, Luckiest: 1, Idle: 10 * ms, LongestIdle: 10 * ms, Watched: 20 * ms,
			},
			handOff: []int64{30, 30, 1},
		},
		{name: "never", history: `
			0 nemesis phase calm
			0 p1 ask x
			1 p2 ask x
			10 p1 ok
			20 p1 release
			30 nemesis end calm
			50 nemesis phase calmer
			55 p2 fail held
			60 nemesis end calmer`,
			want: Contention{
				Workers: 2, Grants: 1, Luckiest: 1, Idle: 10 * ms, LongestIdle: 10 * ms, Watched: 20 * ms,
			},
			givenUp: 1,
		},
		{name: "a fault comes between", history: `
			0 nemesis phase calm
			0 p1 ask x
			1 p2 ask x
			10 p1 ok
			20 p1 release
			30 nemesis end calm
			50 nemesis phase cut
			51,52 nemesis inject c1
			60 p2 ok
			70 p2 release
			75,76 nemesis heal c1
			80 nemesis end cut`,
			want: Contention{
				Workers: 2, Grants: 1, Luckiest: 1, Idle: 10 * ms, LongestIdle: 10 * ms, Watched: 20 * ms,
			},
		},
		{name: "the holder is killed", history: `
			0 nemesis phase calm
			0 p1 ask x
			1 p2 ask x
			10 p1 ok
			90 nemesis end calm
			91 nemesis phase killed
			91 nemesis kill c1
			120 p2 ok
			130 nemesis end killed`,
			want: Contention{Workers: 2, Grants: 1, Luckiest: 1, Watched: 80 * ms},
		},
		// Two hold: the end of one hold is no hand-off while there is the other.
		{name: "two hold", history: `
			0 nemesis phase calm
			0 p1 ask x
			1 p2 ask x
			2 p3 ask x
			10 p1 ok
			15 p2 ok
			20 p1 release
			30 p2 release
			34 p3 ok
			40 p3 release
			40 nemesis end calm`,
			want: Contention{
				Workers: 3, Grants: 3, Luckiest: 1. / 3, Unluckiest: 1. / 3,
				Idle: 4 * ms, LongestIdle: 4 * ms, Watched: 30 * ms,
			},
			handOff: []int64{4, 4, 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := histories.Read(t, tt.history)
			m := tables(t, all, tt.workers)
			if m.Contention != tt.want {
				t.Errorf("got  %+v\nwant %+v", m.Contention, tt.want)
			}
			if l := m.Contended; tt.want.Reason != "" && (l.Samples != 0 || l.NotGranted != 0 || l.During != 0 || l.Max().Reason != tt.want.Reason) {
				t.Errorf("%d granted, %d not granted in %v, %q", l.Samples, l.NotGranted, l.During, l.Max().Reason)
			}
			handOff := m.HandOff
			if handOff.NotGranted != tt.givenUp {
				t.Errorf("%d hand-offs never came, want %d", handOff.NotGranted, tt.givenUp)
			}
			if tt.handOff == nil {
				if handOff.Samples != 0 {
					t.Errorf("%d hand-offs", handOff.Samples)
				}
				return
			}
			if handOff.Samples != tt.handOff[2] || handOff.Histogram.Min()/milli > tt.handOff[0] {
				t.Errorf("%d hand-offs, the shortest took %d ns, want %v", handOff.Samples, handOff.Histogram.Min(), tt.handOff)
			}
			wantSpan(t, "the longest hand-off", handOff.Max(), tt.handOff[1]*milli)
		})
	}
}

func TestContentionMerges(t *testing.T) {
	fair := Contention{Workers: 4, Grants: 100, Luckiest: .26, Unluckiest: .24, Idle: 1, Watched: 10, LongestIdle: 1}
	unfair := Contention{Workers: 4, Grants: 50, NotGranted: 3, Luckiest: .9, Unluckiest: 0, Idle: 4, Watched: 10, LongestIdle: 3}
	nothing := Contention{Reason: noContention}
	want := Contention{Workers: 4, Grants: 150, NotGranted: 3, Luckiest: .9, Unluckiest: 0, Idle: 5, Watched: 20, LongestIdle: 3}
	for _, order := range [][]Contention{{fair, unfair, nothing}, {nothing, unfair, fair}, {unfair, {}, fair}} {
		var got Contention
		for _, c := range order {
			got.Merge(c)
		}
		if got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if got.IdleShare() != .25 {
			t.Errorf("idle for %v", got.IdleShare())
		}
	}
	var got Contention
	if got.Merge(nothing); got.Workers != 0 || got.Reason != noContention {
		t.Errorf("%+v", got)
	}
}
