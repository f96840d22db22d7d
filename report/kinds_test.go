package report

import (
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/results"
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
		{name: "one worker asks", history: `
			0 nemesis phase calm
			10 p1 ask x
			20 p1 ok
			30 p1 release
			100 nemesis end calm`,
			reason: noContention},
		{name: "each asks for another lock", history: `
			0 nemesis phase calm
			10 p1 ask x
			11 p2 ask y
			20 p1 ok
			20 p2 ok
			100 nemesis end calm`,
			reason: noContention},
		{name: "under a fault", history: `
			0 nemesis phase cut
			1 nemesis strike c1
			2 nemesis struck c1
			10 p1 ask x
			11 p2 ask x
			20 p1 ok
			30 p1 release
			35 p2 ok
			50 nemesis heal c1
			51 nemesis healed c1
			100 nemesis end cut`,
			reason: noContention},
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
			41 p2 ask y
			42 p2 ok
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
			150 nemesis strike c1
			151 nemesis struck c1
			190 nemesis heal c1
			191 nemesis healed c1
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
			all := ops(t, tt.history)
			shared, err := share(phases(all), all, holdsOf(t, all), 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			l := shared.contended
			if l.Samples != int64(len(tt.want)) || l.NotGranted != tt.notGranted || l.During != tt.during || l.OpenLoop {
				t.Errorf("%d granted, %d not granted in %v, want %v, %d in %v", l.Samples, l.NotGranted, l.During, tt.want, tt.notGranted, tt.during)
			}
			if len(tt.want) == 0 {
				wantReason(t, l.Max(), tt.reason)
				return
			}
			if least := l.hist.Min() / milli; least > tt.want[0] || least < tt.want[0]-1 {
				t.Errorf("the shortest took %d ms, want %d", least, tt.want[0])
			}
			wantSpan(t, "the longest", l.Max(), tt.want[len(tt.want)-1]*milli)
		})
	}
}

func TestContendedCountsFromTheIntendedStart(t *testing.T) {
	all := ops(t, `
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
	shared, err := share(phases(all), all, holdsOf(t, all), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !shared.contended.OpenLoop {
		t.Error("an open loop was taken for a closed one")
	}
	wantSpan(t, "the longest", shared.contended.Max(), 30*milli)
	wantSpan(t, "the hand-off", shared.handOff.Max(), 5*milli)
}

// What was due in an open loop and nobody came to ask for is not granted: it would have waited the longest.
func TestOverdueAcquiresAreNotGranted(t *testing.T) {
	all := ops(t, `
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
	shared, err := share(phases(all), all, holdsOf(t, all), 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Due at 10, 20, … 90 for each of two; each asked for the first two of them.
	if l := shared.contended; l.Samples != 3 || l.NotGranted != 2*7 {
		t.Errorf("%d granted, %d not", l.Samples, l.NotGranted)
	}
}

func TestArrivals(t *testing.T) {
	p := &PhaseMeasure{Begin: 1, End: 1290}
	for _, tt := range []struct {
		due  map[int64][]int64
		want int64
	}{
		{map[int64][]int64{0: {2, 7, 107, 207, 307, 1207}}, 0}, // the first by the schedule of the phase before
		{map[int64][]int64{0: {107, 207}, 1: {50, 150, 250, 0, 1400}}, 10 + 10},
		{map[int64][]int64{0: {107, 207, 307}, 1: {1250}}, 9},
		{map[int64][]int64{0: {107}}, 0}, // nobody knows
		{nil, 0},
	} {
		due := arrivals{}
		for worker, all := range tt.due {
			for _, at := range all {
				due.add(worker, at, p)
			}
		}
		if got := due.overdue(p.End); got != tt.want {
			t.Errorf("%v: %d overdue, want %d", tt.due, got, tt.want)
		}
	}
}

// Where phases run alone, contended latency is theirs alone.
func TestFairPhases(t *testing.T) {
	all := ops(t, `
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
	run := results.Run{Tests: []results.Test{
		{Driver: "d", Phases: []results.Phase{{Name: "alone", Latency: true}, {Name: "fair", Contended: true}, {Name: "calm"}}}, {Driver: "d"}, {Driver: "e"},
	}}
	if fair, none := fairPhases(&run, "d"), fairPhases(&run, "e"); len(fair) != 1 || !fair["fair"] || len(none) > 0 {
		t.Errorf("%v, %v", fair, none)
	}
	for _, tt := range []struct {
		fair                     map[string]bool
		samples, handOffs, grant int64
		reason                   string
	}{{nil, 4, 2, 4, ""}, {fairPhases(&run, "d"), 2, 1, 4, ""}, {map[string]bool{"another": true}, 0, 0, 4, noContention}} {
		shared, err := share(phases(all), all, holdsOf(t, all), 0, tt.fair)
		if err != nil {
			t.Fatal(err)
		}
		if shared.contended.Samples != tt.samples || shared.handOff.Samples != tt.handOffs || int64(shared.Grants) != tt.grant {
			t.Errorf("%v: %d granted, %d handed on, %d grants", tt.fair, shared.contended.Samples, shared.handOff.Samples, shared.Grants)
		}
		if tt.reason != "" {
			wantReason(t, shared.contended.Max(), tt.reason)
			wantReason(t, shared.handOff.Max(), tt.reason)
		}
	}
}

// A kind that has nothing says why, whatever became of the driver.
func TestNoKindIsBlank(t *testing.T) {
	empty := results.Run{Drivers: []results.Driver{{Name: "a", Status: results.Complete}}, Tests: []results.Test{{Name: "a.1", Driver: "a"}}}
	nothing, err := Measure(&empty, &empty.Tests[0], nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Model{
		fixture(t), tablesFixture(t), NewModel(empty, results.Verdicts{}, false, nil),
		NewModel(empty, results.Verdicts{}, false, map[string]Measurement{"a.1": nothing}),
	} {
		for n, k := range Kinds() {
			table := m.Tables[n]
			if table.ID != k.table().ID || len(table.Lines) != len(m.Rows) {
				t.Fatalf("%s with %d lines", table.Title, len(table.Lines))
			}
			for i, line := range table.Lines {
				if l := m.Rows[i].Of(k); l.Samples == 0 && (l.Reason == "" || line.Reason == "") {
					t.Errorf("%s, %s: there is no reason", line.Driver.Name, k)
				}
				if n := len(line.Cells); n != len(table.Columns) && (n > 0 || line.Reason == "") {
					t.Errorf("%s, %s: %d cells, reason %q", line.Driver.Name, k, n, line.Reason)
				}
				for _, c := range line.Cells {
					if len(c) != 1 || c[0].Text == "" {
						t.Errorf("%s, %s: %q", line.Driver.Name, k, c)
					}
				}
			}
		}
	}
}

func TestProxyPart(t *testing.T) {
	through := results.Run{ProxyCost: results.ProxyCost{DirectP50: 20 * time.Microsecond, ProxyP50: 50 * time.Microsecond}}
	direct, unmeasured, fast := through, through, through
	direct.Direct, direct.ProxyCost = true, results.ProxyCost{}
	unmeasured.ProxyCost = results.ProxyCost{}
	fast.ProxyCost.DirectP50 = 51 * time.Microsecond
	for _, tt := range []struct {
		name  string
		run   results.Run
		trips int
		p50   int64 // 0: not measured
		want  string
		part  float64
	}{
		{"through proxies", through, 2, 240_000, "60.0 µs, 25.0 %", .25},
		{"an estimate that is too high", through, 3, 60_000, "90.0 µs, 150 %", 1.5},
		{"direct", direct, 2, 240_000, "none", 0},
		{"cost not measured", unmeasured, 2, 240_000, dash, 0},
		{"cost not measurable", fast, 2, 240_000, dash, 0},
		{"trips not known", through, 0, 240_000, dash, 0},
		{"latency not measured", through, 2, 0, dash, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := Row{Driver: results.Driver{RoundTrips: tt.trips}, Latency: Latency{Reason: "no phase"}}
			for range 3 {
				if tt.p50 == 0 {
					break
				}
				if err := r.Latency.record(tt.p50); err != nil {
					t.Fatal(err)
				}
			}
			got := proxyPart(&tt.run, &r)
			if got.String() != tt.want || got.Part != tt.part {
				t.Errorf("%q, %v", got, got.Part)
			}
		})
	}
}

// Round trips that were measured count, and not those that the driver declares.
func TestProxyPartOfMeasuredTrips(t *testing.T) {
	run := results.Run{ProxyCost: results.ProxyCost{DirectP50: 20 * time.Microsecond, ProxyP50: 50 * time.Microsecond}}
	r := Row{Driver: results.Driver{RoundTrips: 2, RoundTripsMeasured: trips(3)}}
	for range 2 { // p50 takes two
		if err := r.Latency.record(900_000); err != nil {
			t.Fatal(err)
		}
	}
	if got := proxyPart(&run, &r).String(); got != "90.0 µs, 10.0 %" {
		t.Error(got)
	}
	r.Driver.RoundTripsMeasured = &results.RoundTrips{N: 3, Reason: "the machine is too busy"}
	if got := proxyPart(&run, &r).String(); got != "60.0 µs, 6.67 %" {
		t.Error(got)
	}
}

// The proxies' part stands in the cell of what it is a part of.
func TestProxiesAreStated(t *testing.T) {
	for _, direct := range []bool{false, true} {
		run, verdicts, all := fixtureRun()
		run.Direct = direct
		measured := map[string]Measurement{}
		for i := range run.Tests {
			m, err := Measure(&run, &run.Tests[i], all[run.Tests[i].Name], nil)
			if err != nil {
				t.Fatal(err)
			}
			measured[run.Tests[i].Name] = m
		}
		text := render(t, Text, NewModel(run, verdicts, true, measured))
		if strings.Contains(text, "   none\n") != direct || strings.Contains(text, "27.0 µs, 6.00 %\n") == direct {
			t.Errorf("direct %v:\n%s", direct, text)
		}
	}
}
