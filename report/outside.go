package report

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/units"
)

// saysOutside tells the deaths, stops and set clocks that no fault caused, each with the test that it spoilt.
func (m *Model) saysOutside() []string {
	var all []string
	for i := range m.Rows {
		for _, test := range m.Rows[i].Tests {
			if test.Result == nil {
				continue
			}
			for _, e := range test.Result.Outside {
				if e.What != history.Stalled {
					all = append(all, fmt.Sprintf("%s: %s. No fault did it.", test.Name, e.Text(test.Result.Begin)))
				}
			}
		}
	}
	return all
}

// stallNote says how often the machine did not run the processes of the run; empty: it always did.
func (m *Model) stallNote() string {
	var all checker.Stalls
	for i := range m.Rows {
		for _, test := range m.Rows[i].Tests {
			if test.Result != nil {
				s := test.Result.Stalls
				all.N, all.Longest = all.N+s.N, max(all.Longest, s.Longest)
			}
		}
	}
	if all.N == 0 {
		return ""
	}
	return fmt.Sprintf("Stalls: %d times the machine let a client or lockbench itself wait for 5 ms or longer; the longest "+
		"wait was %s. Acquires that met one are in the percentiles.",
		all.N, units.Duration(time.Duration(all.Longest)))
}
