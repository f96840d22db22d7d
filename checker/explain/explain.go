// Package explain puts in words what happened in the incidents that the checkers found: who held the lock, which
// faults were in force, how long it lasted, what it did to the data, and which lines of the history show it. What is
// a violation is the checkers' to say. The package is pure: it reads lines and a checker.Result, and knows no files.
package explain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// Source reads the lines of one history, in their order, and hands each with its number from 1 to yield. It stops at
// the first error, of its own or of yield, and returns it. It can be read several times, and is the same each time.
type Source func(yield func(line int, op *history.Op) error) error

// Explanation is what can be said of one incident. Times are the history's nanoseconds.
type Explanation struct {
	// Number is the incident's place in Result.Incidents, from 1.
	Number int `json:"incident"`
	// Text is one to three sentences; its times count from the history's first line.
	Text string `json:"text"`
	// Violations are those that Text tells: the first of each kind, in the order in which they happened.
	Violations []checker.Violation `json:"violations"`
	// Grants are those that the violations are about, in the order in which they were granted. Others is how many
	// more belong to the incident.
	Grants []checker.Grant `json:"grants"`
	Others int             `json:"other_grants"`
	// Faults are those that were in force at any time from the first of the holds to the end of the violations.
	Faults []checker.Fault `json:"faults"`
	// Outside is what happened at that time without a fault; see checker.Result.
	Outside []checker.Outside `json:"outside,omitempty"`
	// OverlapNanos is how long both holds of the first overlap were open; 0 if there is none.
	OverlapNanos int64 `json:"overlap_ns"`
	// Lines are the numbers, from 1, of the smallest set of lines that still shows the first violation; empty if none
	// was found. Minimal makes a history of them.
	Lines []int `json:"lines"`
	// Minimal is the history of Lines. Versions and bases are counted anew, as if no other write had been made.
	Minimal []history.Op `json:"-"`
}

// Incidents explains the first limit incidents of a history, in their order. It reads the history once, and once more
// if what a client did elsewhere is needed to show how long it lived. It keeps the lines of two grants of each of
// those incidents, and two times for each process.
//
// traits are those of the run's faults; nil: there is no run, and faults are known by their usual names. Its errors
// are those of read.
func Incidents(result *checker.Result, read Source, limit int, traits Traits) ([]Explanation, error) {
	incidents := result.Incidents[:min(limit, len(result.Incidents))]
	if len(incidents) == 0 {
		return nil, nil
	}
	g, err := gather(incidents, read)
	if err != nil {
		return nil, fmt.Errorf("explain incidents: %w", err)
	}
	if traits == nil {
		traits = usual
	}
	around := surroundings{faults: result.Faults, outside: result.Outside}
	if g.hosts {
		around = surroundings{} // no clock says what was when
	}
	all := make([]Explanation, 0, len(incidents))
	for i := range incidents {
		in := &incidents[i]
		e := explain(in, result.Begin, around, traits)
		e.Number = i + 1
		if len(in.Violations) > 0 && !g.hosts {
			e.Lines, e.Minimal = g.minimal(&in.Violations[0])
		}
		all = append(all, e)
	}
	return all, nil
}

// Text tells the incident with that number, from 1. It takes the words of its explanation. An incident that none of
// all explains is told by its violations alone.
func Text(all []Explanation, result *checker.Result, number int) string {
	for i := range all {
		if all[i].Number == number {
			return all[i].Text
		}
	}
	return explain(&result.Incidents[number-1], result.Begin, surroundings{}, usual).Text
}

// surroundings are what happened in a history beside what its workers did.
type surroundings struct {
	faults  []checker.Fault
	outside []checker.Outside
}

// explain explains one incident, but for its lines.
func explain(in *checker.Incident, begin int64, around surroundings, traits Traits) Explanation {
	e := Explanation{Others: len(in.Grants), Lines: []int{}, Violations: []checker.Violation{}, Grants: []checker.Grant{}, Faults: []checker.Fault{}}
	var to int64
	for i := range in.Violations {
		v := &in.Violations[i]
		if slices.ContainsFunc(e.Violations, func(o checker.Violation) bool { return o.Kind == v.Kind }) {
			continue
		}
		e.Violations = append(e.Violations, *v)
		to = max(to, v.Until)
		if v.Kind == checker.Overlap {
			e.OverlapNanos = v.Overlap
		}
		for _, g := range []checker.Grant{v.By, v.Against} {
			if !slices.ContainsFunc(e.Grants, func(o checker.Grant) bool { return o.GrantID == g.GrantID }) {
				e.Grants = append(e.Grants, g)
			}
		}
	}
	if len(e.Violations) == 0 {
		return e
	}
	slices.SortFunc(e.Grants, func(a, b checker.Grant) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Process, b.Process), cmp.Compare(a.Grant, b.Grant))
	})
	e.Others -= len(e.Grants)
	for _, o := range around.outside {
		if o.From <= to && o.To >= e.Grants[0].From {
			e.Outside = append(e.Outside, o)
		}
	}
	for _, f := range around.faults {
		if !f.Missed && f.From <= to && (f.To == 0 || f.To >= e.Grants[0].From) {
			e.Faults = append(e.Faults, f)
		}
	}
	e.Text = text(&e, begin, traits)
	return e
}
