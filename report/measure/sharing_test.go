package measure

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/histories"
)

func TestContended(t *testing.T) {
	for _, tt := range []struct {
		name       string
		history    string
		want       []int64 // how long each took, in ms, in order
		notGranted int64
		during     time.Duration
		reason     string
	}{
		{name: "outside all phases", history: `
			10 p1 ask x
			11 p2 ask x
			20 p1 ok
			30 p1 release
			35 p2 ok
			40 nemesis phase calm
			100 nemesis end calm`,
			reason: noContention},
		// p3 was refused. What p1 asks for before the phase, and what p2 is granted of a lock of its own, do not count.
		{name: "three ask", history: `
			0 p1 ask x
			1 nemesis phase calm
			9 p1 ok
			10 p1 release
			10 p1 ask x
			11 p2 ask x
			12 p3 ask x
			20 p1 ok
			30 p1 release
			35 p2 ok
			40 p2 release
			41,42 p2 ask y
			50 p3 fail held
			100 nemesis end calm`,
			want: []int64{10, 24}, notGranted: 1, during: 99 * time.Millisecond},
		// No fault follows: p2 had to wait for that long.
		{name: "granted after the phase", history: `
			0 nemesis phase calm
			10 p1 ask x
			11 p2 ask x
			20 p1 ok
			100 nemesis end calm
			110 nemesis phase calmer
			120 p1 release
			125 p2 ok
			200 nemesis end calmer`,
			want: []int64{10, 114}, during: 100 * time.Millisecond},
		// p2 may have waited because of the fault.
		{name: "granted in a phase with a fault", history: `
			0 nemesis phase calm
			10 p1 ask x
			11 p2 ask x
			20 p1 ok
			100 nemesis end calm
			100 nemesis phase cut
			110 p1 release
			115 p2 ok
			150,151 nemesis inject c1
			190,191 nemesis heal c1
			200 nemesis end cut`,
			want: []int64{10}, during: 100 * time.Millisecond},
		{name: "nothing is granted", history: `
			0 nemesis phase calm
			10 p1 ask x
			11 p2 ask x
			20 p1 fail held
			100 nemesis end calm
			120 p2 fail held`,
			notGranted: 2, during: 100 * time.Millisecond, reason: "nothing was granted where several workers asked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := histories.Read(t, tt.history)
			l := tables(t, all, 0).Contended
			if l.Samples != int64(len(tt.want)) || l.NotGranted != tt.notGranted || l.During != tt.during || l.OpenLoop {
				t.Errorf("%d granted, %d not granted in %v, want %v, %d in %v", l.Samples, l.NotGranted, l.During, tt.want, tt.notGranted, tt.during)
			}
			if len(tt.want) == 0 {
				wantReason(t, l.Max(), tt.reason)
				return
			}
			if least := l.Histogram.Min() / milli; least > tt.want[0] || least < tt.want[0]-1 {
				t.Errorf("the shortest took %d ms, want %d", least, tt.want[0])
			}
			wantSpan(t, "the longest", l.Max(), tt.want[len(tt.want)-1]*milli)
		})
	}
}

func TestContendedCountsFromTheIntendedStart(t *testing.T) {
	all := histories.Read(t, `
		0 nemesis phase calm
		10 p1 ask x
		11 p2 ask x
		20 p1 ok
		30 p1 release
		35 p2 ok
		40 p2 release
		100 nemesis end calm`)
	for i := range all {
		if all[i].F == "acquire" && all[i].Type == "invoke" {
			all[i].Intended = 5 * milli
		}
	}
	m := tables(t, all, 0)
	if !m.Contended.OpenLoop {
		t.Error("an open loop was taken for a closed one")
	}
	wantSpan(t, "the longest", m.Contended.Max(), 30*milli)
	wantSpan(t, "the hand-off", m.HandOff.Max(), 5*milli)
}

// What was due in an open loop and nobody came to ask for is not granted: it would have waited the longest.
func TestOverdueAcquiresAreNotGranted(t *testing.T) {
	all := histories.Read(t, `
		0 nemesis phase calm
		10 p0 ask x
		10 p1 ask x
		20 p0 ok
		50 p0 release
		50 p0 ask x
		60 p1 ok
		100 nemesis end calm
		110 p1 release
		110 p1 ask x
		120 p0 ok`)
	due := []int64{10, 10, 20, 20}
	for i := range all {
		if all[i].F == history.Acquire && all[i].Type == history.Invoke {
			all[i].Intended, due = due[0]*milli, due[1:]
		}
	}
	m := tables(t, all, 2)
	// Due at 10, 20, … 90 for each of two; each asked for the first two of them.
	if l := m.Contended; l.Samples != 3 || l.NotGranted != 2*7 {
		t.Errorf("%d granted, %d not", l.Samples, l.NotGranted)
	}
}

func TestArrivals(t *testing.T) {
	for _, tt := range []struct {
		due  map[int64][]int64
		want int64
	}{
		{map[int64][]int64{0: {2, 7, 107, 207, 307, 1207}}, 8}, // its loop began anew twice: right away, and after 900
		{map[int64][]int64{0: {107, 207}, 1: {50, 150, 250}}, 10 + 10},
		{map[int64][]int64{0: {107, 207, 307}, 1: {1250}}, 9},
		{map[int64][]int64{0: {107}}, 0}, // nobody knows
		{nil, 0},
	} {
		var due arrivals
		for worker, all := range tt.due {
			for _, at := range all {
				due.add(worker, at)
			}
		}
		if got := due.overdue(0, 1290, due.interval()); got != tt.want {
			t.Errorf("%v: %d overdue, want %d", tt.due, got, tt.want)
		}
	}
}

// Where phases run alone, contended latency is theirs alone.
func TestFairPhases(t *testing.T) {
	all := histories.Read(t, `
		0 nemesis phase fair
		1 p1 ask x
		1 p2 ask x
		10 p1 ok
		20 p1 release
		25 p2 ok
		30 p2 release
		40 nemesis end fair
		50 nemesis phase calm
		51 p1 ask x
		51 p2 ask x
		60 p1 ok
		80 p1 release
		95 p2 ok
		99 p2 release
		100 nemesis end calm`)
	run := results.Run{Plan: []results.PlannedPhase{{Name: "alone", Latency: true}, {Name: "fair", Contended: true}}, Tests: []results.Test{
		{Driver: "d", Phases: []results.Phase{{Name: "alone"}, {Name: "fair"}, {Name: "calm"}}}, {Driver: "d"}, {Driver: "e"},
	}}
	if fair, none := FairPhases(&run, "d"), FairPhases(&run, "e"); len(fair) != 1 || !fair["fair"] || len(none) > 0 {
		t.Errorf("%v, %v", fair, none)
	}
	for _, tt := range []struct {
		fair                     string // the phase
		samples, handOffs, grant int64
		reason                   string
	}{{"", 4, 2, 4, ""}, {"fair", 2, 1, 4, ""}, {"another", 0, 0, 4, noContention}} {
		run := results.Run{
			Tables: []results.Table{results.Contention}, Plan: []results.PlannedPhase{{Name: "alone", Latency: true}, {Name: tt.fair, Contended: true}},
			Tests: []results.Test{{Driver: "d", Phases: []results.Phase{{Name: "alone"}, {Name: tt.fair}, {Name: "calm"}}}},
		}
		if tt.fair == "" {
			run.Tests = nil
		}
		m, err := Test(&run, &results.Test{Driver: "d"}, Ops(all), nil)
		if err != nil {
			t.Fatal(err)
		}
		if m.Contended.Samples != tt.samples || m.HandOff.Samples != tt.handOffs || int64(m.Contention.Grants) != tt.grant {
			t.Errorf("%v: %d granted, %d handed on, %d grants", tt.fair, m.Contended.Samples, m.HandOff.Samples, m.Contention.Grants)
		}
		if tt.reason != "" {
			wantReason(t, m.Contended.Max(), tt.reason)
			wantReason(t, m.HandOff.Max(), tt.reason)
		}
	}
}
