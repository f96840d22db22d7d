package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/units"
)

// text tells the violations in at most three sentences: how two came to hold the lock, what that did to the data, and
// what else is to be known.
func text(e *Explanation, begin int64, traits Traits) string {
	w := words{begin: begin, traits: traits, faults: e.Faults, told: map[int]bool{}, names: names(e.Grants)}
	var lock, data []string
	for i := range e.Violations {
		v := &e.Violations[i]
		sameWrite := func(kind string) int {
			return slices.IndexFunc(e.Violations, func(o checker.Violation) bool {
				return o.Kind == kind && o.Requests[0].Seq == v.Requests[0].Seq
			})
		}
		switch v.Kind {
		case checker.Overlap:
			lock = append(lock, w.overlap(v))
		case checker.Interleaved:
			lock = append(lock, w.interleaved(v))
		case checker.TokenRegression:
			lock = append(lock, w.regression(v))
		case checker.StaleWrite:
			told := w.stale(v)
			if same := sameWrite(checker.LostUpdate); same >= 0 {
				told += "; " + w.erased(&e.Violations[same])
			}
			data = append(data, told)
		case checker.LostUpdate:
			if sameWrite(checker.StaleWrite) < 0 {
				data = append(data, w.lost(v))
			}
		}
	}
	var sentences []string
	for _, part := range []string{strings.Join(lock, "; "), strings.Join(data, "; "), w.rest(e)} {
		if part != "" {
			sentences = append(sentences, part+".")
		}
	}
	return strings.Join(sentences, " ")
}

// Violation tells one violation in a sentence without a full stop. begin is the first time in its history.
func Violation(v *checker.Violation, begin int64) string {
	told := text(&Explanation{Violations: []checker.Violation{*v}, Grants: []checker.Grant{v.By, v.Against}}, begin, usual)
	return strings.TrimSuffix(told, ".")
}

// words tells one incident.
type words struct {
	begin  int64
	traits Traits
	faults []checker.Fault
	told   map[int]bool // of faults
	names  map[checker.GrantID]string
	// lockTold is true once the lock was spoken of.
	lockTold bool
}

// names tells the grants that are spoken of apart in as few words as that takes.
func names(grants []checker.Grant) map[checker.GrantID]string {
	names := map[checker.GrantID]string{}
	for _, p := range grants {
		process, grant := false, false
		for _, q := range grants {
			process = process || p.Process != q.Process && p.Client == q.Client
			grant = grant || p.GrantID != q.GrantID && p.Process == q.Process
		}
		switch {
		case grant:
			names[p.GrantID] = fmt.Sprintf("%s (process %d, grant %d)", p.Client, p.Process, p.Grant)
		case process:
			names[p.GrantID] = fmt.Sprintf("%s (process %d)", p.Client, p.Process)
		default:
			names[p.GrantID] = p.Client
		}
	}
	return names
}

func (w *words) name(g *checker.Grant) string { return w.names[g.GrantID] }

func (w *words) at(t int64) string { return fmt.Sprintf("%.3f s", float64(t-w.begin)/1e9) }

// lock is the lock's name where it is first spoken of.
func (w *words) lock(v *checker.Violation) string {
	if w.lockTold {
		return "it"
	}
	w.lockTold = true
	return "`" + v.Lock + "`"
}

func (w *words) overlap(v *checker.Violation) string {
	text := fmt.Sprintf("%s was granted %s at %s while %s, granted it at %s%s, still held it",
		w.name(&v.By), w.lock(v), w.at(v.At), w.name(&v.Against), w.at(v.Against.From), w.under(&v.Against, v.At, " and "))
	if v.Provisional {
		return text + ", as it seems"
	}
	return fmt.Sprintf("%s: both held it for %s, until %s", text, nanos(v.Overlap), w.ended(v))
}

// ended says which of the two holds ended first, and how.
func (w *words) ended(v *checker.Violation) string {
	first := &v.By
	if v.Against.To <= v.By.To {
		first = &v.Against
	}
	how := "was last seen"
	switch first.EndedBy {
	case checker.ByRelease:
		how = "released it"
	case checker.ByAbandon:
		how = "gave it up"
	case checker.ByKill:
		how = "was killed"
	}
	return fmt.Sprintf("%s %s at %s", w.name(first), how, w.at(first.To))
}

func (w *words) interleaved(v *checker.Violation) string {
	a, b, r := w.name(&v.Against), w.name(&v.By), v.Requests
	return fmt.Sprintf("%s used %s at %s, %s at %s and %s again at %s, each answered while it held the lock",
		a, w.lock(v), w.at(r[0].Served), b, w.at(r[1].Served), a, w.at(r[2].Served))
}

func (w *words) regression(v *checker.Violation) string {
	return fmt.Sprintf("%s was granted %s at %s with token %d, although %s had been granted it at %s with token %d",
		w.name(&v.By), w.lock(v), w.at(v.At), *v.By.Token, w.name(&v.Against), w.at(v.Against.From), *v.Against.Token)
}

// write is the subject of a sentence about a stale write or a lost update.
func (w *words) write(v *checker.Violation) string {
	to := ""
	if !w.lockTold {
		to = " to " + w.lock(v)
	}
	if under := w.under(&v.By, v.At, ", "); under != "" {
		return fmt.Sprintf("%s%s, made write %d%s, which", w.name(&v.By), under, *v.Version, to)
	}
	return fmt.Sprintf("%s's write %d%s", w.name(&v.By), *v.Version, to)
}

func (w *words) stale(v *checker.Violation) string {
	write, earlier := &v.Requests[0], &v.Requests[1]
	gap := nanos(v.At - earlier.Served)
	if v.Delayed {
		return fmt.Sprintf("%s was sent at %s, while nobody else held the lock, and applied only at %s, %s after the first request of %s, granted the lock at %s: a fence would have refused it",
			w.write(v), w.at(write.Invoked), w.at(v.At), gap, w.name(&v.Against), w.at(v.Against.From))
	}
	return fmt.Sprintf("%s was applied at %s, %s after the first request of %s, the later holder",
		w.write(v), w.at(v.At), gap, w.name(&v.Against))
}

func (w *words) lost(v *checker.Violation) string {
	return fmt.Sprintf("%s was applied at %s; %s", w.write(v), w.at(v.At), w.erased(v))
}

// erased says what a lost update did.
func (w *words) erased(v *checker.Violation) string {
	whose := w.name(&v.Against) + "'s"
	if v.By.GrantID == v.Against.GrantID {
		whose = "its own"
	}
	return fmt.Sprintf("%s had read version %d, so it erased %s %d", w.name(&v.By), *v.Base, whose, *v.Overwrote)
}

// maxFaults is how many faults are told in words.
const maxFaults = 5

// rest tells the faults that were not told yet, and how many grants were left out.
func (w *words) rest(e *Explanation) string {
	var all []string
	if faults := w.untold(); faults != "" {
		all = append(all, "Faults at that time: "+faults)
	}
	if outside := w.outside(e.Outside); outside != "" {
		all = append(all, "No fault did this: "+outside)
	}
	switch {
	case e.Others == 1:
		all = append(all, "1 more grant belongs to the incident")
	case e.Others > 1:
		all = append(all, fmt.Sprintf("%d more grants belong to the incident", e.Others))
	}
	return strings.Join(all, "; ")
}

// maxOutside is how much of what happened outside is told in words: what lasted longest.
const maxOutside = 3

func (w *words) outside(events []checker.Outside) string {
	longest := slices.Clone(events)
	slices.SortStableFunc(longest, func(a, b checker.Outside) int { return cmp.Compare(b.To-b.From, a.To-a.From) })
	var parts []string
	for i := range longest[:min(maxOutside, len(longest))] {
		parts = append(parts, longest[i].Text(w.begin))
	}
	if more := len(events) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

func nanos(ns int64) string { return units.Duration(time.Duration(ns)) }
