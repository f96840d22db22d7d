// Package explain says in words, and in a structure, what happened in the incidents that the checkers found: who held the
// lock, what struck them, how long it lasted, what it did to the data, and which lines of the history show it.
// It is pure: it reads lines and a checker.Result, and knows no files.
package explain

import (
	"fmt"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

// MaxGrants is how many grants an incident may have to be looked into, so that memory and time stay bounded. Of a larger
// one only the checker's sentence is told.
const MaxGrants = 5000

// Source reads the lines of one history, in their order, and hands each with its number from 1 to yield. It stops at the
// first error, of its own or of yield, and returns it. It can be read several times, and is the same each time.
type Source func(yield func(line int, op *history.Op) error) error

// Explanation is what can be said of one incident. Times are the history's nanoseconds.
type Explanation struct {
	Incident checker.Incident `json:"-"`
	// Number is the incident's place in Result.Incidents, from 1.
	Number int `json:"incident"`
	// Text is one to three sentences; its times count from the history's first line.
	Text string `json:"text"`
	// Violations are the first of each kind, in the order in which they happened.
	Violations []Violation `json:"violations"`
	// Grants are those that the violations are about, in the order in which they were granted. Others is how many
	// more belong to the incident.
	Grants []Grant `json:"grants"`
	Others int     `json:"other_grants"`
	// Faults are those that were in force at any time from the first of the holds to the end of the violations.
	Faults []Fault `json:"faults"`
	// OverlapNanos is how long both holds of the first overlap were open; 0 if there is none.
	OverlapNanos int64 `json:"overlap_ns"`
	// Lines are the numbers, from 1, of the smallest set of lines that still shows the first violation; empty if the incident is
	// too large. Minimal makes a history of them.
	Lines []int `json:"lines"`
	// Minimal is the history of Lines. Versions and bases are counted anew, as if no other write had been made.
	Minimal []history.Op `json:"-"`
}

// Violation is one violation between two grants.
type Violation struct {
	// Kind is the row of checker.Counts.
	Kind string `json:"kind"`
	At   int64  `json:"at"`
	// By is the grant that is counted, Against the one that it came into conflict with.
	By      checker.GrantID `json:"by"`
	Against checker.GrantID `json:"against"`
	// Delayed is true of a stale write that was sent in good faith and arrived late.
	Delayed bool `json:"delayed,omitempty"`
	// Version is what the write of a stale write or a lost update made, Base what it was based on, and Overwrote the version that a
	// lost update overwrote unread.
	Version   *uint64 `json:"version,omitempty"`
	Base      *uint64 `json:"base,omitempty"`
	Overwrote *uint64 `json:"overwrote,omitempty"`
}

// Grant is one grant of an incident.
type Grant struct {
	checker.GrantID
	Client string `json:"client"`
	// From is when it was granted, To when its hold ended; not after From if its client was dead by then.
	From  int64   `json:"from"`
	To    int64   `json:"to"`
	Token *uint64 `json:"token,omitempty"`
	// EndedBy is "release", "abandon", "kill", or "last line": nothing ended it, and its client was not seen again.
	EndedBy string `json:"ended_by"`
}

// Incidents explains the first limit incidents of a history, in their order. It reads the history once, and once more if
// what a client did elsewhere is needed to tell how long it lived; it keeps the lines of those incidents' grants and of
// the nemesis, and two times for each process.
//
// Its errors are those of read.
func Incidents(result *checker.Result, read Source, limit int) ([]Explanation, error) {
	incidents := result.Incidents[:min(limit, len(result.Incidents))]
	if len(incidents) == 0 {
		return nil, nil
	}
	g, err := gather(incidents, read)
	if err != nil {
		return nil, fmt.Errorf("explain incidents: %w", err)
	}
	faults := findFaults(g.nemesis)
	all := make([]Explanation, 0, len(incidents))
	for i := range incidents {
		e := g.explain(incidents[i], faults)
		e.Number = i + 1
		all = append(all, e)
	}
	return all, nil
}

// explain explains one incident.
func (g *gathered) explain(in checker.Incident, faults []Fault) Explanation {
	e := Explanation{
		Incident: in, Text: sentence(in.Explanation), Others: len(in.Grants), Lines: []int{},
		Violations: []Violation{}, Grants: []Grant{}, Faults: []Fault{},
	}
	c, ok := newScene(g, in)
	if !ok {
		return e
	}
	found := c.violations(in.Kinds)
	if len(found) == 0 {
		return e
	}
	e.Lines, e.Minimal = c.minimal(&found[0])
	from, to := int64(never), int64(0)
	named := map[*party]bool{}
	for i := range found {
		v := &found[i]
		e.Violations = append(e.Violations, v.Violation)
		from, to = min(from, v.by.Return.Time, v.against.Return.Time), max(to, v.until)
		named[v.by], named[v.against] = true, true
		if v.Kind == overlap {
			e.OverlapNanos = v.until - v.At
		}
	}
	for _, p := range c.parties {
		if named[p] {
			e.Grants = append(e.Grants, p.grant())
		}
	}
	e.Others -= len(e.Grants)
	for _, f := range faults {
		if f.From > to || f.To < from {
			continue
		}
		if f.To == never {
			f.To = 0
		}
		e.Faults = append(e.Faults, f)
	}
	e.Text = c.text(found, &e)
	return e
}
