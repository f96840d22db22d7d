package measure

import (
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// Struck is what the faults of a test did to those who held a lock, and what became of writes that came late. "For
// longer than the TTL" is from when the fault was in place to when its heal began, at least the run's TTL.
type Struck struct {
	// PausedHolder: a holder was paused for longer than the TTL while another client asked for its lock.
	PausedHolder bool
	// CutHolder: the same, cut off from all of the lock's servers.
	CutHolder bool
	// CutServers: servers were cut off for longer than the TTL while somebody asked for a lock.
	CutServers bool
	// LateWrite: a write that was sent before another process was granted the lock reached the resource after that.
	LateWrite bool
	// RefusedWrite: the resource refused a write after another process was granted the lock.
	RefusedWrite bool
	// WroteUnderFault: a fault hit a holder, or took its lock, that wrote during this hold.
	WroteUnderFault bool
}

// The traits of faults that strike holders.
const (
	pauses    = "pauses"
	cutsOff   = "cuts-off"
	kills     = "kills"
	takesLock = "takes-lock"
)

// resource is the name of the protected store among the hosts of a history.
const resource = "resource"

// struckWatch finds what is Struck while the lines go by. It keeps the holds that are open, the writes that did not
// reach the resource, the acquires that wait, and the faults in force.
type struckWatch struct {
	Struck
	traits  map[string]map[string]bool // the faults of the run by trait
	ttl     int64                      // 0: the run does not say
	servers int
	clients map[string]bool // those that asked for a lock
	open    map[history.GrantKey]*grantWatch
	byLock  map[string][]*grantWatch // those whose lock no other process was granted since
	waiting map[*checker.Hold]bool
	writes  []history.GrantKey // that were sent at this time
	strikes []*strike          // in force
}

// grantWatch is a grant that is held, or of which a write is under way.
type grantWatch struct {
	*checker.Hold
	ended    bool
	wrote    bool
	underWay int   // writes that were sent and did not reach the resource
	rival    int64 // when another process was first granted the lock since; never: not yet
	struck   []*strike
}

// strike is one injection of a fault.
type strike struct {
	history.Fault
	name   string
	placed bool
	from   int64 // when it was in place
	// held are the holds of its hosts that were open when it was in place; asked are those of them whose lock another
	// client asked for since, and anyAsked is true if anybody asked for any lock.
	held     []*grantWatch
	asked    map[*grantWatch]bool
	anyAsked bool
	wrote    bool // a holder did that it hit
}

func newStruckWatch(p *pass) *struckWatch {
	w := &struckWatch{
		traits: map[string]map[string]bool{}, ttl: int64(p.run.Workload.TTL), clients: map[string]bool{},
		open: map[history.GrantKey]*grantWatch{}, byLock: map[string][]*grantWatch{}, waiting: map[*checker.Hold]bool{},
	}
	for _, trait := range []string{pauses, cutsOff, kills, takesLock} {
		w.traits[trait] = p.run.FaultsWith(trait)
	}
	for i := range p.run.Drivers {
		if d := &p.run.Drivers[i]; d.Name == p.test.Driver {
			w.servers = d.Nodes
		}
	}
	return w
}

// strikes reports whether the fault has a trait of those that strike holders.
func (w *struckWatch) strikesHolders(fault string) bool {
	return w.traits[pauses][fault] || w.traits[cutsOff][fault] || w.traits[kills][fault] || w.traits[takesLock][fault]
}

// begin takes the line before a fault is injected: by the next line, the hold that it hits may be over.
func (w *struckWatch) begin(op *history.Op) {
	if op.Fault == nil || !w.strikesHolders(op.F) {
		return
	}
	s := &strike{Fault: *op.Fault, name: op.F, asked: map[*grantWatch]bool{}}
	w.strikes = append(w.strikes, s)
	w.hit(s)
}

// hit notes that the fault strikes the holds that are open.
func (w *struckWatch) hit(s *strike) {
	for _, g := range w.open {
		if !g.ended && !slices.Contains(g.struck, s) && w.hits(s, g) {
			g.struck = append(g.struck, s)
			s.wrote = s.wrote || g.wrote
		}
	}
}

// hits reports whether the fault hits the client of the hold, or takes its lock at the servers.
func (w *struckWatch) hits(s *strike, g *grantWatch) bool {
	if slices.Contains(s.Hosts, g.Process.Client) {
		return !w.spares(s)
	}
	return w.traits[takesLock][s.name] && !slices.ContainsFunc(s.Hosts, func(host string) bool { return w.clients[host] })
}

// spares reports whether the fault leaves its hosts in touch with some of the lock's servers.
func (w *struckWatch) spares(s *strike) bool {
	if !w.traits[cutsOff][s.name] {
		return false
	}
	cut := 0
	for _, peer := range s.Peers {
		if peer != resource && !w.clients[peer] {
			cut++
		}
	}
	return len(s.Peers) > 0 && cut < max(1, w.servers)
}

// place takes the line that says that a fault is in place.
func (w *struckWatch) place(op *history.Op) {
	for _, s := range w.strikes {
		if s.placed || s.name != op.F || s.Step != op.StepOf() {
			continue
		}
		s.placed, s.from = true, op.Time
		w.hit(s)
		for _, g := range w.open {
			if !g.ended && slices.Contains(g.struck, s) {
				s.held = append(s.held, g)
			}
		}
		for h := range w.waiting {
			s.ask(h)
		}
	}
}

// ask notes that somebody waits for a lock while the fault is in force.
func (s *strike) ask(h *checker.Hold) {
	s.anyAsked = true
	for _, g := range s.held {
		if g.Lock == h.Lock && g.Process.Client != h.Process.Client {
			s.asked[g] = true
		}
	}
}

// heal takes the line before the faults of a step are healed; step 0: all.
func (w *struckWatch) heal(step int, at int64) {
	w.strikes = slices.DeleteFunc(w.strikes, func(s *strike) bool {
		if step != 0 && s.Step != step {
			return false
		}
		w.over(s, at)
		return true
	})
}

// over sums up a fault that was in force until then.
func (w *struckWatch) over(s *strike, until int64) {
	if !s.placed {
		return
	}
	w.WroteUnderFault = w.WroteUnderFault || s.wrote
	if w.ttl <= 0 || until-s.from < w.ttl || s.Direction != "" {
		return
	}
	if len(s.asked) > 0 {
		w.PausedHolder = w.PausedHolder || w.traits[pauses][s.name]
		w.CutHolder = w.CutHolder || w.traits[cutsOff][s.name]
	}
	servers := len(s.Hosts) > 0 && !slices.ContainsFunc(s.Hosts, func(host string) bool { return w.clients[host] })
	w.CutServers = w.CutServers || servers && s.anyAsked && w.traits[cutsOff][s.name]
}

// acquire takes what happened to an acquire or a hold.
func (w *struckWatch) acquire(e checker.HoldEvent, now int64) {
	key := history.GrantKey{Process: e.Process.N, Grant: e.N}
	switch e.What {
	case checker.Asked:
		w.clients[e.Process.Client] = true
		w.waiting[e.Hold] = true
		for _, s := range w.strikes {
			if s.placed {
				s.ask(e.Hold)
			}
		}
	case checker.Answered:
		delete(w.waiting, e.Hold)
		if e.Held {
			w.granted(&grantWatch{Hold: e.Hold, rival: never}, key, now)
		}
	case checker.FellSilent:
		delete(w.waiting, e.Hold)
	case checker.Ended:
		if g := w.open[key]; g != nil {
			g.ended = true
			w.forget(g, key)
		}
	}
}

func (w *struckWatch) granted(g *grantWatch, key history.GrantKey, now int64) {
	w.byLock[g.Lock] = slices.DeleteFunc(w.byLock[g.Lock], func(o *grantWatch) bool {
		if o.Process == g.Process {
			return o.ended && o.underWay == 0
		}
		o.rival = now
		return true
	})
	w.byLock[g.Lock] = append(w.byLock[g.Lock], g)
	w.open[key] = g
}

// forget drops a grant that is over and whose writes all reached the resource.
func (w *struckWatch) forget(g *grantWatch, key history.GrantKey) {
	if g.ended && g.underWay == 0 {
		delete(w.open, key)
	}
}

// sent takes the writes that were sent at this time, after who was granted a lock then.
func (w *struckWatch) sent() {
	for _, key := range w.writes {
		g := w.open[key]
		if g == nil {
			continue
		}
		g.wrote = true
		g.underWay++
		for _, s := range g.struck {
			s.wrote = s.wrote || !g.ended
		}
	}
	w.writes = w.writes[:0]
}

// served takes a request that reached the resource.
func (w *struckWatch) served(r *history.Request) {
	key := history.GrantKey{Process: r.Grant.Process.N, Grant: r.Grant.N}
	g := w.open[key]
	if g == nil || r.F != history.Write {
		return
	}
	g.underWay--
	if g.rival <= r.Served.Time {
		w.LateWrite = w.LateWrite || r.Invoke.Time < g.rival
		w.RefusedWrite = w.RefusedWrite || r.Rejected
	}
	w.forget(g, key)
}

// finish says that the history is over.
func (w *struckWatch) finish(end int64) Struck {
	w.heal(0, end)
	return w.Struck
}
