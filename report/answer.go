package report

import (
	"slices"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

// Answer is what runs say about one lock: for which work it is fit, and what that rests on. docs/verdicts.md has the
// rule.
type Answer struct {
	Driver results.Driver
	// Fits are the rules that apply, the most that the lock is fit for first. There is at least one.
	Fits []Fit
	// Broke are the places where two clients held the lock at once, or where data was corrupted. Held are those with a
	// fault where neither happened. Of one run they are phases, of several scenarios.
	Broke []Breach
	Held  []string
	// The verdicts, over all runs. InTransaction is on data that lived in the lock's own transaction.
	Heeding, Ignoring, Unfenced, Fenced, InTransaction, Liveness Finding
	// Uncontended and Contended are of the run with the most samples, and Direct says whether that had no proxies.
	Uncontended, Contended measure.Latency
	Direct                 bool
	// Severity is how bad it was, over all runs.
	Severity Severity
	// Behaviours are what the lock did under faults; nil of several runs.
	Behaviours []Behaviour
	// Seen are the scenarios that judged the lock, Unseen the others that were there to be run.
	Seen, Unseen []string

	tests []*TestRow // of all runs
}

// Fit is a rule that applies to a lock.
type Fit struct {
	Rule Rule
	// Missing are the evidences without which the rule's use is not shown: the answer is provisional.
	Missing []Evidence
}

// Breach is a place where a lock broke: a phase of one run, or one of several scenarios.
type Breach struct {
	Place string
	// Heeding and Ignoring: two clients held the lock at once. Unfenced and Fenced: data was corrupted.
	Heeding, Ignoring, Unfenced, Fenced bool
}

// Answers says of each lock what the runs say about it together, in the order in which the locks first come up.
func Answers(runs []*Model) []Answer {
	var names []string
	by := map[string][]seenRow{}
	for _, m := range runs {
		for i := range m.Rows {
			r := &m.Rows[i]
			if by[r.Driver.Name] == nil {
				names = append(names, r.Driver.Name)
			}
			by[r.Driver.Name] = append(by[r.Driver.Name], seenRow{m, r})
		}
	}
	var all []Answer
	for _, name := range names {
		all = append(all, answer(by[name], len(runs) == 1))
	}
	return all
}

// seenRow is a lock's row in one run.
type seenRow struct {
	run *Model
	row *Row
}

func answer(rows []seenRow, alone bool) Answer {
	a := Answer{Driver: rows[0].row.Driver}
	a.Heeding = over(rows, func(r *Row) Finding { return r.Heeding })
	a.Ignoring = over(rows, func(r *Row) Finding { return r.Ignoring })
	a.Unfenced = over(rows, func(r *Row) Finding {
		return r.Find(ofData, func(t *TestRow) bool { return !t.Fenced && !t.InTransaction })
	})
	a.Fenced = over(rows, func(r *Row) Finding { return r.Fenced })
	a.InTransaction = over(rows, func(r *Row) Finding { return r.Find(ofData, InTransaction) })
	a.Liveness = over(rows, func(r *Row) Finding { return r.Liveness })
	var library []string
	for _, s := range rows {
		if s.row.Driver.Token != "" || a.Driver.Title == "" {
			a.Driver = s.row.Driver
		}
		if s.row.Latency.Samples > a.Uncontended.Samples {
			a.Uncontended, a.Direct = s.row.Latency, s.run.Run.Direct
		}
		if s.row.Contended.Samples > a.Contended.Samples {
			a.Contended = s.row.Contended
		}
		if s.row.judged() {
			a.Seen = appendNew(a.Seen, s.run.Run.Scenario)
		}
		library = appendNew(library, s.run.Run.Library...)
		a.addPlaces(s, alone)
		for i := range s.row.Tests {
			t := &s.row.Tests[i]
			a.tests = append(a.tests, t)
			if t.Result != nil {
				a.Severity.add(&t.Result.Counts)
			}
		}
	}
	for _, name := range library {
		if !slices.Contains(a.Seen, name) {
			a.Unseen = append(a.Unseen, name)
		}
	}
	if alone {
		a.Behaviours = rows[0].row.Behaviours
	}
	a.Fits = fits(&a)
	return a
}

func ofData(t *TestRow) Finding { return t.Data }

// over merges a finding over the runs that asked for it.
func over(rows []seenRow, of func(*Row) Finding) Finding {
	var all []Finding
	for _, s := range rows {
		if f := of(s.row); !f.NotAsked {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return Finding{State: NotRun, Reason: notAsked, NotAsked: true}
	}
	return worst(all)
}

// Fits are the rules that apply to the row by itself, in a run of that scenario.
func (r *Row) Fits() []Fit { return r.fits }

// judged reports whether some test of the row has a verdict.
func (r *Row) judged() bool {
	return slices.ContainsFunc(r.Tests, func(t TestRow) bool { return t.Result != nil })
}

// addPlaces adds where the lock broke in one run, and where it held.
func (a *Answer) addPlaces(s seenRow, alone bool) {
	if !alone {
		b := Breach{
			Place: s.run.Run.Title(), Heeding: s.row.Heeding.State == Invalid, Ignoring: s.row.Ignoring.State == Invalid,
			Unfenced: s.row.Unfenced.State == Invalid, Fenced: s.row.Fenced.State == Invalid,
		}
		a.addPlace(b, len(s.run.FaultPhases) > 0 && s.row.judged())
		return
	}
	var phases []string
	for i := range s.row.Tests {
		for j := range s.row.Tests[i].Measured.Phases {
			phases = appendNew(phases, s.row.Tests[i].Measured.Phases[j].Name)
		}
	}
	for _, name := range phases {
		b, survived := s.row.breach(name)
		a.addPlace(b, survived)
	}
}

func (a *Answer) addPlace(b Breach, counts bool) {
	switch {
	case b.Heeding || b.Ignoring || b.Unfenced || b.Fenced:
		a.Broke = append(a.Broke, b)
	case counts:
		a.Held = appendNew(a.Held, b.Place)
	}
}

// breach says how the row broke in a phase. survived: a fault was in force there, and every test that has the phase was
// judged.
func (r *Row) breach(phase string) (b Breach, survived bool) {
	b.Place = phase
	faulted, unknown := false, false
	for i := range r.Tests {
		t := &r.Tests[i]
		for j := range t.Measured.Phases {
			p := &t.Measured.Phases[j]
			if p.Name != phase {
				continue
			}
			faulted = faulted || p.HasFault()
			unknown = unknown || t.Result == nil || t.Exclusion.State.Severity() > Valid.Severity() && t.Exclusion.State != Invalid
			if t.Result == nil {
				continue
			}
			for _, incident := range t.Result.Incidents {
				if incident.Begin < p.Begin || incident.Begin > p.End {
					continue
				}
				if measure.IsExclusion(incident) {
					b.Heeding, b.Ignoring = b.Heeding || t.Heeding, b.Ignoring || !t.Heeding
				}
				if measure.IsData(incident) {
					b.Fenced, b.Unfenced = b.Fenced || t.Fenced, b.Unfenced || !t.Fenced
				}
			}
		}
	}
	return b, faulted && !unknown
}

func appendNew(all []string, names ...string) []string {
	for _, name := range names {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}
