package measure

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
)

const (
	// shownIncidents is how many incidents of a test the page tells. The others are counted.
	shownIncidents = 20
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
	// Holds are those of the incident's grants, Others what else the process held of the lock. Writes is when the
	// resource applied writes of the incident's grants.
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

// Told lists the places of the incidents that the page tells, in their order: those that break the most, and of them
// those that came first.
func Told(all []checker.Incident) []int {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) int {
		w := 0
		if IsExclusion(all[i]) {
			w++
		}
		if IsData(all[i]) {
			w += 2
		}
		return w
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight(b), weight(a)) })
	order = order[:min(shownIncidents, len(order))]
	slices.Sort(order)
	return order
}

// sceneWatch finds the scene of an incident. One pass finds the grants of the incident, which say what time the scene
// shows, and another one what else was held in that time.
type sceneWatch struct {
	Scene
	place   int // of the incident among all
	in      *checker.Incident
	members map[history.GrantKey]*sceneHold
	held    []*sceneHold // as they were granted
	located bool
	lanes   map[int64]int          // by process, also those that are hidden
	others  map[*checker.Hold]bool // that are not over
}

// sceneHold is the hold of one of an incident's grants.
type sceneHold struct {
	Interval
	process int64
	client  string
	line    int // of the invoke
}

// sceneWatches are those of the incidents that the page tells.
func sceneWatches(verdict *results.TestVerdict) []*sceneWatch {
	if verdict == nil {
		return nil
	}
	var all []*sceneWatch
	for _, i := range Told(verdict.Result.Incidents) {
		in := &verdict.Result.Incidents[i]
		s := &sceneWatch{place: i, in: in, members: map[history.GrantKey]*sceneHold{}, others: map[*checker.Hold]bool{}}
		for _, id := range in.Grants {
			s.members[history.GrantKey{Process: id.Process, Grant: id.Grant}] = nil
		}
		all = append(all, s)
	}
	return all
}

// watchScenes takes a change of a hold that the scenes may be about.
func (p *pass) watchScenes(e checker.HoldEvent) {
	for _, s := range p.scenes {
		if s.in.Lock == e.Lock {
			s.change(e)
		}
	}
}

func (s *sceneWatch) change(e checker.HoldEvent) {
	if !e.Held {
		return
	}
	key := history.GrantKey{Process: e.Process.N, Grant: e.N}
	member, isMember := s.members[key]
	switch {
	case s.located && isMember:
	case s.located:
		if lane, ok := s.lanes[e.Process.N]; !ok || lane >= len(s.Lanes) {
			return
		}
		if s.others[e.Hold] = true; e.What == checker.Ended {
			delete(s.others, e.Hold)
			s.other(e.Hold, e.End)
		}
	case isMember && e.What == checker.Answered:
		h := &sceneHold{Interval: Interval{e.Hold.Answered, never}, process: e.Process.N, client: e.Process.Client, line: e.Invoke.Line}
		s.members[key] = h
		s.held = append(s.held, h)
	case isMember && member != nil:
		member.To = e.End
	}
}

// other adds a hold of a lane's process that is not part of the incident.
func (s *sceneWatch) other(h *checker.Hold, end int64) {
	if span := (Interval{h.Answered, end}); s.shows(span) {
		l := &s.Lanes[s.lanes[h.Process.N]]
		l.Others = s.add(l.Others, span)
	}
}

// add adds a time to others before it. What is closer together than can be seen becomes one.
func (s *sceneWatch) add(all []Interval, t Interval) []Interval {
	if n := len(all); n > 0 && t.From-all[n-1].To < max(1, (s.To-s.From)/1000) {
		all[n-1].To = max(all[n-1].To, t.To)
		return all
	}
	return append(all, t)
}

// watch takes a part of the lock's time.
func (s *sceneWatch) watch(one part) {
	if from, to := max(one.from, s.From), min(one.to, s.To); one.holders > 1 && from < to {
		s.Both = s.add(s.Both, Interval{from, to})
	}
}

// served takes a request that the resource served.
func (p *pass) served(r *history.Request) {
	if len(p.scenes) == 0 || r.Rejected || r.F != history.Write {
		return
	}
	key := history.GrantKey{Process: r.Grant.Process.N, Grant: r.Grant.N}
	for _, s := range p.scenes {
		lane, ok := s.lanes[key.Process]
		if _, member := s.members[key]; ok && member && lane < len(s.Lanes) && s.shows(Interval{r.Served.Time, r.Served.Time}) {
			s.Lanes[lane].Writes = append(s.Lanes[lane].Writes, r.Served.Time)
		}
	}
}

// locate decides what the scene shows, after a pass over a history whose first and last times are from and to. An
// incident that is not in them was found in another one, and so was one none of whose grants is there.
func (s *sceneWatch) locate(from, to int64) {
	if s.located || s.in.Begin < from || s.in.End < s.in.Begin || s.in.End > to || len(s.held) == 0 {
		return
	}
	s.located, s.lanes = true, map[int64]int{}
	s.At = s.in.Begin
	slices.SortFunc(s.held, func(a, b *sceneHold) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.line, b.line)) })
	s.bound()
	for _, h := range s.held {
		if !s.shows(h.Interval) {
			continue
		}
		lane, ok := s.lanes[h.process]
		if !ok {
			lane = len(s.lanes)
			if s.lanes[h.process] = lane; lane < shownLanes {
				s.Lanes = append(s.Lanes, Lane{Client: h.client, Process: h.process})
			}
		}
		if lane < len(s.Lanes) {
			s.Lanes[lane].Holds = append(s.Lanes[lane].Holds, h.Interval)
		}
	}
	s.Hidden = len(s.lanes) - len(s.Lanes)
	s.held = nil
}

// bound decides what is shown: from the first grant, unless that is so long ago that the incident would be a dot, to
// the end of the incident, and a little more on both sides.
func (s *sceneWatch) bound() {
	in := s.in
	length := max(in.End-in.Begin, 1)
	first, last := s.held[0].From, in.End
	if length < minScene {
		for _, h := range s.held {
			if h.From <= in.End {
				last = max(last, in.End+min(h.To-in.End, 9*minScene))
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

// locateScenes are the scenes that another pass is to complete.
func (p *pass) locateScenes() []*sceneWatch {
	var all []*sceneWatch
	for _, s := range p.scenes {
		if s.locate(p.begin, p.now); s.located {
			all = append(all, s)
		}
	}
	return all
}

// lateLines is by how much a line of the resource may be late in the history of a scene, in nanoseconds.
const lateLines = int64(time.Second)

// scenes completes what was located, in a pass that ends when the last scene is over. Scenes are by the places of
// their incidents.
func scenes(run *results.Run, test *results.Test, source Source, known foreseen, located []*sceneWatch) (map[int]Scene, error) {
	all := map[int]Scene{}
	if len(located) == 0 {
		return all, nil
	}
	p := newPass(run, test, known, located)
	p.enough = 0
	for _, s := range located {
		p.enough = max(p.enough, s.To+lateLines)
	}
	err := source.Read(p.feed)
	if err == nil {
		_, _, err = p.finish()
	} else if errors.Is(err, errEnough) {
		p.flush(p.now)
		err = nil
	}
	for _, s := range located {
		for h := range s.others {
			s.other(h, p.now)
		}
		for _, l := range s.Lanes {
			slices.SortFunc(l.Others, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
		}
		all[s.place] = s.Scene
	}
	return all, err
}

// shows reports whether some of the time is in the picture.
func (s *Scene) shows(t Interval) bool { return t.From <= s.To && t.To >= s.From }

func (s *Scene) addFaults(phases []Phase) {
	for i := range phases {
		if p := &phases[i]; p.HasFault() && s.shows(Interval{p.From, p.Until}) {
			s.Faults = append(s.Faults, NamedInterval{Interval{p.From, p.Until}, p.Name})
		}
	}
}

// addViolations marks what was done to data; that two held the lock is seen without.
func (s *Scene) addViolations(all []checker.Violation) {
	for _, v := range all {
		lane := slices.IndexFunc(s.Lanes, func(l Lane) bool { return l.Process == v.By.Process })
		if lane >= 0 && v.Kind != checker.Overlap && v.At >= s.From && v.At <= s.To {
			s.Violations = append(s.Violations, Mark{v.At, lane, v.Kind})
		}
	}
}

// IsExclusion reports whether the incident breaks mutual exclusion, IsData whether it corrupts data; it may be both.
func IsExclusion(i checker.Incident) bool {
	return slices.ContainsFunc(i.Kinds, func(k string) bool {
		return k == "overlap" || k == "interleaved" || k == "token_regression"
	})
}

func IsData(i checker.Incident) bool {
	return slices.ContainsFunc(i.Kinds, func(k string) bool {
		return strings.HasPrefix(k, "stale_") || k == "lost_update"
	})
}
