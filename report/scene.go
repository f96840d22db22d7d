package report

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/explain"
	"github.com/lockbench/lockbench/internal/results"
)

const (
	// shownIncidents is how many incidents of a test the page tells, and shownGrants how many grants of each; the others
	// are counted.
	shownIncidents = 20
	shownGrants    = 6
	// shownLanes is how many processes the picture of an incident shows.
	shownLanes = 6
)

// Scene is what was held around an incident. Times are the history's nanoseconds.
type Scene struct {
	// From and To bound what is shown, and At is when the incident began.
	From, To, At int64
	Lanes        []Lane
	// Hidden is how many more processes have grants in the incident.
	Hidden int
	// Both are the times in which the lock had more than one holder.
	Both []Interval
	// Faults are the phases' faults that were in force.
	Faults []NamedInterval
	// Violations are those that happened to data.
	Violations []Mark
}

// Lane is one process.
type Lane struct {
	Client  string
	Process int64
	// Holds are those of the incident's grants, Others what else the process held of the lock. Writes is when the resource
	// applied writes of the incident's grants.
	Holds, Others []Interval
	Writes        []int64
}

// Interval is a time from one moment to another.
type Interval struct{ From, To int64 }

// NamedInterval is one with a name.
type NamedInterval struct {
	Interval
	Name string
}

// Mark is a moment of a process, by its lane.
type Mark struct {
	At   int64
	Lane int
	Kind string
}

// telling lists the places of the incidents that the page tells, in their order: those that break the most, and of them
// those that came first.
func telling(all []checker.Incident) []int {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) int {
		w := 0
		if isExclusion(all[i]) {
			w++
		}
		if isData(all[i]) {
			w += 2
		}
		return w
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
	order = order[:min(shownIncidents, len(order))]
	slices.Sort(order)
	return order
}

// scenes finds what was held around the incidents that the page tells, by their places. holds are all acquires of the history,
// whose first and last times are from and to: an incident that is not in them was found in another one.
func scenes(verdict *results.TestVerdict, phases []PhaseMeasure, holds []checker.Hold, from, to int64) map[int]Scene {
	all := map[int]Scene{}
	wanted := map[string][]checker.Hold{}
	for _, lock := range byLock(holds) {
		wanted[lock[0].Lock] = lock
	}
	explanations := map[int]*explain.Explanation{}
	for i := range verdict.Explanations {
		explanations[verdict.Explanations[i].Number-1] = &verdict.Explanations[i]
	}
	for _, i := range telling(verdict.Result.Incidents) {
		in := &verdict.Result.Incidents[i]
		if in.Begin < from || in.End < in.Begin || in.End > to {
			continue
		}
		if s, ok := newScene(in, wanted[in.Lock]); ok {
			s.addFaults(phases)
			if e := explanations[i]; e != nil {
				s.addViolations(e.Violations)
			}
			all[i] = s
		}
	}
	return all
}

// newScene finds what was held of the incident's lock; !ok: none of its grants is there.
func newScene(in *checker.Incident, lock []checker.Hold) (Scene, bool) {
	members := map[checker.GrantID]bool{}
	for _, id := range in.Grants {
		members[id] = true
	}
	isMember := func(h *checker.Hold) bool { return members[checker.GrantID{Process: h.Process.N, Grant: h.N}] }
	var held []*checker.Hold
	for i := range lock {
		if isMember(&lock[i]) && lock[i].Held {
			held = append(held, &lock[i])
		}
	}
	if len(held) == 0 {
		return Scene{}, false
	}
	slices.SortStableFunc(held, func(a, b *checker.Hold) int { return cmp.Compare(a.Answered, b.Answered) })
	s := Scene{At: in.Begin}
	s.bound(in, held)
	lanes := map[int64]int{}
	for _, h := range held {
		if _, ok := lanes[h.Process.N]; !ok && s.shows(Interval{h.Answered, h.End}) {
			lanes[h.Process.N] = len(lanes)
			if len(lanes) <= shownLanes {
				s.Lanes = append(s.Lanes, Lane{Client: h.Process.Client, Process: h.Process.N})
			}
		}
	}
	s.Hidden = len(lanes) - len(s.Lanes)
	for i := range lock {
		h := &lock[i]
		span := Interval{h.Answered, h.End}
		lane, ok := lanes[h.Process.N]
		if !ok || lane >= len(s.Lanes) || !h.Held || !s.shows(span) {
			continue
		}
		if l := &s.Lanes[lane]; isMember(h) {
			l.Holds = append(l.Holds, span)
			for _, r := range h.Requests {
				if r.Seq > 0 && !r.Rejected && r.F == "write" && s.shows(Interval{r.Served.Time, r.Served.Time}) {
					l.Writes = append(l.Writes, r.Served.Time)
				}
			}
		} else {
			l.Others = append(l.Others, span)
		}
	}
	for _, part := range stretches(lock, s.From, s.To) {
		if part.holders > 1 {
			s.Both = append(s.Both, Interval{part.from, part.to})
		}
	}
	return s, true
}

// bound decides what is shown: from the first grant, unless that is so long ago that the incident would be a dot, to the end
// of the incident, and a little more on both sides.
func (s *Scene) bound(in *checker.Incident, held []*checker.Hold) {
	length := max(in.End-in.Begin, 1)
	first, last := held[0].Answered, in.End
	if length < minScene {
		for _, h := range held {
			if h.Answered <= in.End {
				last = max(last, in.End+min(h.End-in.End, 9*minScene))
			}
		}
		length = max(last-in.Begin, 1)
	}
	from := min(in.Begin, first)
	if (in.Begin-from)/8 > length {
		from = in.Begin - 2*length
	}
	margin := max((last-from)/20, 1)
	s.From, s.To = from-margin, last+margin
}

// minScene is how short an incident may be for its picture to end with it.
const minScene = 1_000_000 // ns

// shows reports whether some of the time is in the picture.
func (s *Scene) shows(t Interval) bool { return t.From <= s.To && t.To >= s.From }

func (s *Scene) addFaults(phases []PhaseMeasure) {
	for i := range phases {
		if p := &phases[i]; p.Struck() && s.shows(Interval{p.From, p.Until}) {
			s.Faults = append(s.Faults, NamedInterval{Interval{p.From, p.Until}, p.Name})
		}
	}
}

// addViolations marks what was done to data; that two held the lock is seen without.
func (s *Scene) addViolations(all []explain.Violation) {
	for _, v := range all {
		lane := slices.IndexFunc(s.Lanes, func(l Lane) bool { return l.Process == v.By.Process })
		if lane >= 0 && v.Kind != "overlap" && v.At >= s.From && v.At <= s.To {
			s.Violations = append(s.Violations, Mark{v.At, lane, v.Kind})
		}
	}
}
