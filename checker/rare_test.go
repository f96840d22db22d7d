package checker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
)

// TestManyRivals has grants use the resource between two requests of another that was granted while they waited.
func TestManyRivals(t *testing.T) {
	const rivals = 5
	var b strings.Builder
	b.WriteString("1 c0 0 acquire invoke 1\n")
	for i := 1; i <= rivals; i++ {
		fmt.Fprintf(&b, "2 c%d %d acquire invoke 1\n", i, i)
	}
	read := func(at, process, request int) {
		for _, typ := range []string{"invoke", "apply", "ok"} {
			fmt.Fprintf(&b, "%d c%d %d read %s 1.%d\n", at, process, process, typ, request)
		}
	}
	b.WriteString("3 c0 0 acquire ok 1\n")
	read(4, 0, 1)
	for i := 1; i <= rivals; i++ {
		fmt.Fprintf(&b, "%d c%d %d acquire ok 1\n", 10*i, i, i)
		read(10*i+1, i, 1)
		fmt.Fprintf(&b, "%d c%d %d release invoke 1\n", 10*i+2, i, i)
	}
	read(100, 0, 2)
	b.WriteString("101 c0 0 release invoke 1\n")
	ops := ofHosts(script(t, b.String())) // where no overlap tells that something was missed
	least := &retain{watched: 1, newest: 1}
	r, err := inPasses(least, func(feed func(*history.Op) error) error {
		for i := range ops {
			if err := feed(&ops[i]); err != nil {
				return err
			}
		}
		return nil
	}, Options{})
	if err != nil || r.Counts.Interleaved != rivals || len(least.grants) != 1 {
		t.Errorf("%+v, %v; %d were missed", r, err, len(least.grants))
	}
}

// TestRareStaleWrites has later grants that are seen by no other rule.
func TestRareStaleWrites(t *testing.T) {
	for _, tt := range []struct {
		name, lines string
		want        Counts
	}{
		{"the later grant was never held, but had returned when the write was invoked", `
			1,2 c1 0 acquire ok 1
			3 c2 1 acquire invoke 1
			4 c2 -1 kill invoke
			5 c2 1 acquire ok 1
			5,5 c2 1 read apply 1.1
			6,7 c1 0 write apply 1.1
			8 c1 0 release invoke 1`, Counts{StaleWrite: 1}},
		{"a grant of the writer's process with a higher token returned at the same time as the later one", `
			1 c1 0 acquire invoke 1
			2,10 c2 1 acquire ok 1 token=5
			10 c2 1 read invoke 1.1 token=5
			10 c2 1 read apply 1.1 token=5
			10 c2 1 read ok 1.1 token=5
			10 c2 1 release invoke 1
			10 c1 0 acquire ok 1 token=7
			10 c1 0 read invoke 1.1 token=7
			10 c1 0 read apply 1.1 token=7
			10 c1 0 read ok 1.1 token=7
			10,10 c1 0 release ok 1
			10,12 c1 0 acquire ok 2 token=3
			13 c1 0 write invoke 2.1 token=3
			14 c1 0 write apply 2.1 token=3
			15 c1 0 release invoke 2`, Counts{StaleWrite: 1, TokenRegression: 1}},
		{"the later grant is one of many that returned while the writer waited", `
			1 c1 0 acquire invoke 1
			1,2 c2 1 acquire ok 1 token=9
			2,3 c2 1 read info 1.1
			3 c2 1 abandon ok 1
			3,4 c3 2 acquire ok 1 token=8
			5 c3 2 release invoke 1
			6 c1 0 acquire ok 1 token=1
			7 c1 0 write invoke 1.1
			8 c2 1 read apply 1.1
			9 c1 0 write apply 1.1
			9 c1 0 release invoke 1`, Counts{StaleWrite: 1, TokenRegression: 1}},
		{"the later grant is one of many that returned with the writer", `
			1 c1 0 acquire invoke 1
			1 c2 1 acquire invoke 1
			1 c3 2 acquire invoke 1 lock=m
			2 c1 0 acquire ok 1 token=3
			2 c3 2 acquire ok 1 lock=m
			2 c2 1 acquire ok 1 token=5
			2,2,2 c2 1 read apply,ok 1.1
			2 c2 1 release invoke 1
			3,4 c1 0 write apply 1.1
			5 c1 0 release invoke 1`, Counts{StaleWrite: 1}},
		{"the later grant returned when many wrote", `
			1,2 c1 0 acquire ok 1 token=5
			3,4 c3 2 acquire ok 1 lock=m
			15 c2 1 acquire invoke 1
			20,20 c1 0 write info 1.1
			20 c1 0 abandon ok 1
			20 c3 2 write invoke 1.1 lock=m base=0
			20 c2 1 acquire ok 1 token=3
			24,25,26 c2 1 read apply,ok 1.1
			30 c1 0 write apply 1.1
			40 c2 1 release invoke 1`, Counts{StaleWrite: 1, TokenRegression: 1}},
		{"many had returned when the writer wrote", `
			1,2 c1 0 acquire ok 1
			3 c2 1 acquire invoke 1
			3 c3 2 acquire invoke 1 lock=m
			4 c2 -1 kill invoke
			5 c2 1 acquire ok 1
			5 c3 2 acquire ok 1 lock=m
			5 c1 0 write invoke 1.1
			5,5 c2 1 read apply 1.1
			7 c1 0 write apply 1.1
			8 c1 0 release invoke 1`, Counts{StaleWrite: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ops := script(t, tt.lines)
			got := check(t, ops, Options{}).Counts
			got.Attempts, got.Grants, got.Writes, got.Ambiguous = 0, 0, 0, 0
			o := newOracle(ops)
			o.judge()
			o.counts.Writes = 0
			if got != tt.want || o.counts != tt.want {
				t.Errorf("got %+v, the oracle %+v, want %+v", got, o.counts, tt.want)
			}
			for rivals := range 3 { // however few are looked at
				r, err := inPasses(&retain{watched: 1, newest: 1, rivals: rivals}, feeding(ops), Options{})
				if err != nil || r.Counts.StaleDelayed != tt.want.StaleDelayed || r.Counts.StaleWrite != tt.want.StaleWrite {
					t.Errorf("of %d rivals: %+v, %v", rivals, r.Counts, err)
				}
			}
		})
	}
}
