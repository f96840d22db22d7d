package checker

import "testing"

// TestHowBad: how long a lock had two holders, and how long before the next grant a holder was told.
func TestHowBad(t *testing.T) {
	const brief = BriefOverlap
	for _, tt := range []struct {
		name, lines string
		want        Counts
	}{
		{"one overlap", granted + `
			3,5 c2 1 acquire ok 1
			9 c1 0 release invoke 1
			10 c2 1 release invoke 1`, Counts{Overlap: 1, OverlapTime: 4, LongestOverlap: 4, OverlapBrief: 1}},
		{"longer than a scheduler takes", granted + `
			3,5 c2 1 acquire ok 1
			1000006 c1 0 release invoke 1
			1000009 c2 1 release invoke 1`, Counts{Overlap: 1, OverlapTime: brief + 1, LongestOverlap: brief + 1}},
		{"exactly as long", granted + `
			3,5 c2 1 acquire ok 1
			1000005 c1 0 release invoke 1
			1000009 c2 1 release invoke 1`, Counts{Overlap: 1, OverlapTime: brief, LongestOverlap: brief, OverlapBrief: 1}},
		{"three holders at once are two for once", granted + `
			3,5 c2 1 acquire ok 1
			3,6 c3 2 acquire ok 1
			8 c2 1 release invoke 1
			9 c1 0 release invoke 1
			12 c3 2 release invoke 1`, Counts{Overlap: 2, OverlapTime: 4, LongestOverlap: 4, OverlapBrief: 2}},
		{"two times apart", granted + `
			3,5 c2 1 acquire ok 1
			6 c2 1 release invoke 1
			7,8 c3 2 acquire ok 1
			11 c1 0 release invoke 1
			12 c3 2 release invoke 1`, Counts{Overlap: 2, OverlapTime: 4, LongestOverlap: 3, OverlapBrief: 2}},
		{"one after the other without a break", granted + `
			3,5 c2 1 acquire ok 1
			8 c2 1 release invoke 1
			7,8 c3 2 acquire ok 1
			11 c1 0 release invoke 1
			12 c3 2 release invoke 1`, Counts{Overlap: 2, OverlapTime: 6, LongestOverlap: 6, OverlapBrief: 2}},
		{"told before the rival's grant", granted + `
			4 c1 0 lost ok 1
			5 c1 0 abandon ok 1
			6,9 c2 1 acquire ok 1
			10 c2 1 release invoke 1`, Counts{Told: 1, WorstMargin: 5, NeedlessLoss: 1, LossCost: 3}},
		{"told after it", granted + `
			3,5 c2 1 acquire ok 1
			9 c1 0 lost ok 1
			9 c1 0 abandon ok 1
			10 c2 1 release invoke 1`, Counts{Overlap: 1, OverlapTime: 4, LongestOverlap: 4, OverlapBrief: 1, Told: 1, ToldLate: 1, WorstMargin: -4}},
		{"told as it is granted", granted + `
			3,5 c2 1 acquire ok 1
			5 c1 0 lost ok 1
			5 c1 0 abandon ok 1
			10 c2 1 release invoke 1`, Counts{Told: 1}},
		{"the first rival counts, and the worst margin", granted + `
			3,5 c2 1 acquire ok 1
			6,6 c2 1 release ok 1
			7,8 c3 2 acquire ok 1
			11 c1 0 lost ok 1
			11 c1 0 abandon ok 1
			12 c3 2 lost ok 1
			12 c3 2 abandon ok 1
			13,20 c2 1 acquire ok 2
			21 c2 1 release invoke 2`, Counts{
			Overlap: 2, OverlapTime: 4, LongestOverlap: 3, OverlapBrief: 2, Told: 2, ToldLate: 1, WorstMargin: -6, NeedlessLoss: 1, LossCost: 7,
		}},
		{"told, and nobody came", granted + `
			4 c1 0 lost ok 1
			5 c1 0 abandon ok 1`, Counts{NeedlessLoss: 1}},
		{"told, and only the same process came", granted + `
			4 c1 0 lost ok 1
			5 c1 0 abandon ok 1
			6,9 c1 0 acquire ok 2
			10 c1 0 release invoke 2`, Counts{NeedlessLoss: 1, LossCost: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ops := script(t, tt.lines)
			got := check(t, ops, Options{}).Counts
			got.Attempts, got.Grants, got.Writes, got.Ambiguous = 0, 0, 0, 0
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v\n%s", got, tt.want, text(ops))
			}
			o := newOracle(ops)
			o.judge()
			o.losses()
			o.counts.Writes = 0
			if o.counts != tt.want {
				t.Errorf("the oracle disagrees: %+v", o.counts)
			}
		})
	}
}
