package measure

import (
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/histories"
)

// opposite is how two workers come to wait for each other: the invoke at 30 closes the cycle.
const opposite = `
	0,5 p1 ask x
	6,10 p2 ask y
	20 p1 ask y
	30 p2 ask x`

func TestDeadlocks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		history string
		want    Deadlocks
		lasted  []int64 // the shortest and the longest, in ms; nil: none ended
	}{
		{name: "no deadlock: one order", history: `
			0,5 p1 ask x
			6 p2 ask x
			7,8 p1 ask y
			20 p1 release y
			21 p1 release x
			30 p2 ok
			31,32 p2 ask y`},
		{name: "no deadlock: the other holds nothing yet", history: `
			0 p1 ask x
			1 p2 ask y
			5 p1 ok
			6 p1 ask y
			9 p2 ok
			10 p2 release
			12 p1 ok`},
		{name: "no deadlock: an acquire that ended as info holds nothing", history: `
			0 p1 ask x
			5 p1 info who knows
			6,10 p2 ask y
			11 p2 ask x
			12 p3 ask y`},
		{name: "no deadlock: who waits for what it holds waits for nobody else", history: `
			0,5 p1 ask x
			6 p1 ask x
			900 p1 fail context deadline exceeded`},
		{name: "the server says so", history: opposite + `
			1030 p2 fail lock not acquired: ERROR: deadlock detected (SQLSTATE 40P01)
			1031 p2 abandon y
			1040 p1 ok`,
			want: Deadlocks{Count: 1, Server: 1}, lasted: []int64{1000, 1000}},
		{name: "the client gives up, and its word is no proof", history: opposite + `
			2020 p1 info context deadline exceeded
			2021 p1 abandon x
			2030 p2 ok`,
			want: Deadlocks{Count: 1, TimedOut: 1}, lasted: []int64{1990, 1990}},
		{name: "the server keeps the client's time-out", history: opposite + `
			2020 p1 fail canceling statement due to lock timeout (SQLSTATE 55P03)`,
			want: Deadlocks{Count: 1, TimedOut: 1}, lasted: []int64{1990, 1990}},
		{name: "the server frees the victim's lock before the victim knows", history: opposite + `
			1029 p1 ok
			1030 p2 fail deadlock detected`,
			want: Deadlocks{Count: 1, Server: 1}, lasted: []int64{999, 999}},
		{name: "a lease runs out, and then a time-out", history: opposite + `
			1029 p1 ok
			2030 p2 fail timeout`,
			want: Deadlocks{Count: 1, Otherwise: 1}, lasted: []int64{999, 999}},
		{name: "a lease runs out", history: opposite + `
			2020 p1 ok`,
			want: Deadlocks{Count: 1, Otherwise: 1}, lasted: []int64{1990, 1990}},
		{name: "one is killed", history: opposite + `
			500 nemesis kill c1
			520 p2 ok`,
			want: Deadlocks{Count: 1, Otherwise: 1}, lasted: []int64{470, 470}},
		{name: "nothing ends it", history: `
			0 p11 ask v
			0 p12 ask w` + opposite + `
			9000 p11 ok
			9000 p12 ok`,
			want: Deadlocks{Count: 1, Open: 1}},
		{name: "others that wait are not in it", history: `
			0 p3 ask x
			1 p3 fail held` + opposite + `
			31 p3 ask x
			32 p4 ask y
			40 p3 fail context deadline exceeded
			50 p1 fail context deadline exceeded`,
			want: Deadlocks{Count: 1, TimedOut: 1}, lasted: []int64{20, 20}},
		{name: "three in a ring", history: `
			0,1 p1 ask x
			2,3 p2 ask y
			4,5 p3 ask z
			10 p3 ask x
			11 p1 ask y
			12 p2 ask z
			112 p1 fail timeout
			113 p2 fail timeout
			114 p3 fail timeout`,
			want: Deadlocks{Count: 1, TimedOut: 1}, lasted: []int64{100, 100}},
		{name: "one after the other", history: opposite + `
			40 p2 fail deadlock detected
			41 p2 ask x
			51 p1 fail i/o timeout`,
			want: Deadlocks{Count: 2, Server: 1, TimedOut: 1}, lasted: []int64{10, 10}},
		{name: "two at once", history: opposite + `
			30,31 p5 ask v
			32,33 p6 ask w
			34 p5 ask w
			35 p6 ask v
			135 p6 fail timeout
			330 p1 fail timeout
			331 p2 ok
			332 p5 ok`,
			want: Deadlocks{Count: 2, TimedOut: 2}, lasted: []int64{100, 300}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := histories.Read(t, tt.history)
			got := tables(t, all, 0).Deadlocks
			lasted := got.Lasted
			got.Lasted, tt.want.Measured = Latency{}, true
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if want := int64(got.Count - got.Open); lasted.Samples != want {
				t.Fatalf("%d lasted for some time, want %d", lasted.Samples, want)
			}
			if tt.lasted == nil {
				return
			}
			if least := lasted.Histogram.Min() / milli; least > tt.lasted[0] || least < tt.lasted[0]*99/100 {
				t.Errorf("the shortest lasted %d ms, want %d", least, tt.lasted[0])
			}
			wantSpan(t, "the longest", lasted.Max(), tt.lasted[1]*milli)
		})
	}
}
