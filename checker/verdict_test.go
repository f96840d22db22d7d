package checker

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// cycles is n grants of c1 in a row, from the time on, one each 10 ns, with a read and a write each.
func cycles(from, n, first int) string {
	var b strings.Builder
	for i := range n {
		at, g := from+10*i, first+i
		fmt.Fprintf(&b, `
		%[1]d c1 0 acquire invoke %[2]d
		%[1]d c1 0 acquire ok %[2]d
		%[1]d c1 0 write invoke %[2]d.1
		%[1]d c1 0 write apply %[2]d.1
		%[1]d c1 0 write ok %[2]d.1
		%[3]d c1 0 release invoke %[2]d
		%[3]d c1 0 release ok %[2]d`, at, g, at+5)
	}
	return b.String()
}

const cut = `
		100,101 nemesis -1 partition ok value=n1
		110,120 c2 1 acquire fail 1
		150 nemesis -1 heal invoke value=n1
		151 nemesis -1 heal ok value=n1`

// waits is an acquire that waits when the fault begins, and ends in it.
const waits = `
		90,115 c3 2 acquire fail 1`

// killedWaiting is one whose client is killed before the fault.
const killedWaiting = `
		90 c3 2 acquire invoke 1
		95 c3 -1 kill invoke`

func TestVerdicts(t *testing.T) {
	run := Options{MinGrants: 2, MinAttempts: 1, StuckAfter: 1000}
	for _, tt := range []struct {
		name, lines                string
		opt                        Options
		exclusion, data, liveness  Verdict
		exclusionSays, livenessSay string
	}{
		{"enough", cycles(0, 2, 1) + cut + cycles(200, 2, 3), run, Valid, Valid, Valid, "", ""},
		{"too few grants before", cycles(0, 1, 1) + cut + cycles(200, 2, 3), run, Unknown, Unknown, Valid, "only 1 grant before the first fault, 2 are needed", ""},
		{"too few grants after", cycles(0, 2, 1) + cut + cycles(200, 1, 3), run, Unknown, Unknown, Valid, "only 1 grant after the last fault healed, 2 are needed", ""},
		{"one waited when it began", cycles(0, 2, 1) + waits + cut + cycles(200, 2, 3), Options{MinGrants: 2, MinAttempts: 2}, Valid, Valid, NotApplicable, "", "no bound"},
		{"one waited, and was killed", cycles(0, 2, 1) + killedWaiting + cut + cycles(200, 2, 3), Options{MinAttempts: 2}, Unknown, Unknown, NotApplicable, "only 1 attempt during partition (n1), 2 are needed", "no bound"},
		{"too few attempts during", cycles(0, 2, 1) + cut + cycles(200, 2, 3), Options{MinGrants: 2, MinAttempts: 2}, Unknown, Unknown, NotApplicable, "only 1 attempt during partition (n1), 2 are needed", "no bound"},
		{"no bounds, no faults", cycles(0, 1, 1), Options{}, Valid, Valid, NotApplicable, "", "no bound"},
		{"too few grants, no faults", cycles(0, 1, 1), run, Unknown, Unknown, NotApplicable, "only 1 grant, 2 are needed", "no fault"},
		{"never healed", cycles(0, 2, 1) + "\n 100 nemesis -1 partition invoke value=n1" + cycles(200, 2, 3), run, Unknown, Unknown, NotApplicable, "partition (n1) was not healed", "no fault"},
		{"a kill needs no heal", cycles(0, 2, 1) + "\n 100 c9 -1 kill invoke" + cycles(200, 2, 3), run, Valid, Valid, NotApplicable, "", "no fault"},
		{"a fault that may not have been injected", cycles(0, 2, 1) + strings.Replace(cut, "partition ok", "partition info", 1) + cycles(200, 2, 3), run, Unknown, Unknown, Valid, "may not have been injected", ""},
		{"two faults at once, the second heals first", cycles(0, 2, 1) + `
			100 nemesis -1 partition invoke value=n1
			101 nemesis -1 partition invoke value=n2
			105 c2 1 acquire invoke 1
			107,108 nemesis -1 heal ok value=n2
			109,110 nemesis -1 heal ok value=n1
			120 c2 1 acquire fail 1` + cycles(200, 2, 3), run, Valid, Valid, Valid, "", ""},
		{"two faults, one never heals", cycles(0, 2, 1) + `
			100 nemesis -1 partition invoke value=n1
			101 nemesis -1 partition invoke value=n2
			105 c2 1 acquire invoke 1
			107,108 nemesis -1 heal ok value=n2
			120 c2 1 acquire fail 1` + cycles(200, 2, 3), run, Unknown, Unknown, Valid, "partition (n1) was not healed", ""},
		{"nothing granted", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire fail 1", Options{}, Unknown, Unknown, NotApplicable, "nothing was granted", ""},
		{"nothing written", granted + "\n 3 c1 0 release invoke 1", Options{}, Valid, Unknown, NotApplicable, "", ""},
		{"only read", granted + "\n 3 c1 0 read invoke 1.1\n 3 c1 0 read apply 1.1\n 3 c1 0 read ok 1.1\n 3 c1 0 release invoke 1", Options{}, Valid, Unknown, NotApplicable, "", ""},
		{"invalid beats unknown", granted + usedLater + "\n 30 c1 0 release invoke 1", Options{MinGrants: 3}, Invalid, Unknown, NotApplicable, "1 overlap", ""},
		{"nobody asked after the heal", cycles(0, 2, 1) + cut, Options{StuckAfter: 10}, Valid, Valid, Unknown, "", "nobody asked"},
		{"no token to fence with", cycles(0, 2, 1), Options{Fenced: true}, Valid, NotApplicable, NotApplicable, "", ""},
		{"a broken fence is never valid", cycles(0, 2, 1) + `
			30,31 c1 0 acquire ok 3 token=1
			32 c1 0 write invoke 3.1 token=1
			33 c1 0 write reject 3.1 token=1
			34 c1 0 write fail 3.1
			35 c1 0 release invoke 3`, Options{}, Valid, Unknown, NotApplicable, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := check(t, script(t, tt.lines), tt.opt)
			if r.Exclusion.Verdict != tt.exclusion || r.Data.Verdict != tt.data || r.Liveness.Verdict != tt.liveness {
				t.Errorf("exclusion %+v, data %+v, liveness %+v", r.Exclusion, r.Data, r.Liveness)
			}
			if !strings.Contains(r.Exclusion.Reason, tt.exclusionSays) || !strings.Contains(r.Liveness.Reason, tt.livenessSay) {
				t.Errorf("reasons %q, %q", r.Exclusion.Reason, r.Liveness.Reason)
			}
			for _, j := range []Judgement{r.Exclusion, r.Data, r.Liveness} {
				if (j.Verdict == Valid) != (j.Reason == "") {
					t.Errorf("verdict and reason do not fit: %+v", j)
				}
			}
		})
	}
}

func TestEmptyHistoryIsUnknown(t *testing.T) {
	r := check(t, nil, Options{})
	if r.Exclusion.Verdict != Unknown || r.Data.Verdict != Unknown || r.Liveness.Verdict == Valid {
		t.Errorf("%+v", r)
	}
}

func TestVerdictText(t *testing.T) {
	for _, v := range []Verdict{NotApplicable, Valid, Unknown, Invalid} {
		b, err := json.Marshal(Judgement{Verdict: v})
		if err != nil {
			t.Fatal(err)
		}
		var j Judgement
		if err := json.Unmarshal(b, &j); err != nil || j.Verdict != v || !strings.Contains(string(b), `"`+v.String()+`"`) {
			t.Errorf("%s became %v, %v", b, j.Verdict, err)
		}
	}
	var v Verdict
	if err := v.UnmarshalText([]byte("safe")); err == nil {
		t.Error("an unknown verdict was read")
	}
	if NotApplicable >= Valid || Valid >= Unknown || Unknown >= Invalid {
		t.Error("the worst does not win")
	}
}
