package explain

import (
	"cmp"
	"math"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

// never is after every line.
const never = math.MaxInt64

// line is one line of the history, with its number from 1.
type line struct {
	n  int
	op history.Op
}

// gathered is what was kept of a history.
type gathered struct {
	begin   int64 // the first time
	hosts   bool  // several, which share no clock
	grants  map[checker.GrantID][]line
	nemesis []line
	// processes are all of the history, by number, and clients those of each client in the order in which they began.
	processes map[int64]*span
	clients   map[string][]*span
	kills     map[string][]line // by victim
}

// span is a process from its first line to its last. What the resource writes about it is not its own.
type span struct {
	client                string
	first, last           int64
	firstGrant, lastGrant checker.GrantID
}

// gather reads the history: once for the grants of the incidents and, if the hold of one was never given up, once more for
// the lines that show how long it lasted.
func gather(incidents []checker.Incident, read Source) (*gathered, error) {
	g := &gathered{
		begin: never, grants: map[checker.GrantID][]line{},
		processes: map[int64]*span{}, clients: map[string][]*span{}, kills: map[string][]line{},
	}
	wanted := map[checker.GrantID]bool{}
	for _, in := range incidents {
		if len(in.Grants) <= MaxGrants {
			for _, id := range in.Grants {
				wanted[id] = true
			}
		}
	}
	if err := read(func(n int, op *history.Op) error {
		g.begin = min(g.begin, op.Time)
		g.note(n, op)
		g.keep(wanted, n, op)
		return nil
	}); err != nil {
		return nil, err
	}
	for _, p := range g.processes {
		g.clients[p.client] = append(g.clients[p.client], p)
	}
	for _, all := range g.clients {
		slices.SortFunc(all, func(a, b *span) int {
			return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.firstGrant.Process, b.firstGrant.Process))
		})
	}
	missing := map[checker.GrantID]bool{}
	for id := range wanted {
		if p, ok := g.party(id); ok {
			for _, w := range g.witnesses(p) {
				missing[w] = !wanted[w]
			}
		}
	}
	for id, is := range missing {
		if !is {
			delete(missing, id)
		}
	}
	if len(missing) == 0 {
		return g, nil
	}
	return g, read(func(n int, op *history.Op) error {
		g.keep(missing, n, op)
		return nil
	})
}

// note notes what is kept of every line.
func (g *gathered) note(n int, op *history.Op) {
	switch {
	case op.IsNemesis():
		g.nemesis = append(g.nemesis, line{n, *op})
		g.hosts = g.hosts || op.F == history.Hosts
		if op.F == history.Kill && op.Type == history.Invoke {
			g.kills[op.Client] = append(g.kills[op.Client], line{n, *op})
		}
	case op.Type == history.Apply || op.Type == history.Reject:
	default:
		id := checker.GrantID{Process: op.Process, Grant: op.Grant}
		p, ok := g.processes[op.Process]
		if !ok {
			p = &span{client: op.Client, first: op.Time, firstGrant: id}
			g.processes[op.Process] = p
		}
		p.last, p.lastGrant = op.Time, id
	}
}

func (g *gathered) keep(wanted map[checker.GrantID]bool, n int, op *history.Op) {
	if id := (checker.GrantID{Process: op.Process, Grant: op.Grant}); !op.IsNemesis() && wanted[id] {
		g.grants[id] = append(g.grants[id], line{n, *op})
	}
}

// kill finds the line of the kill that ended the process, if one did: the first since it began.
func (g *gathered) kill(p *span) (line, bool) {
	for _, k := range g.kills[p.client] {
		if k.op.Time >= p.first {
			return k, true
		}
	}
	return line{}, false
}

// life is how long the process's client is known to have lived, and when its next life began. docs/history.md: of the client's
// processes, those that overlap in time, one with the next, vouch for each other.
func (g *gathered) life(p *span) (last, next int64) {
	all := g.clients[p.client]
	for from := 0; from < len(all); {
		mine := all[from] == p
		last, to := all[from].last, from+1
		for ; to < len(all) && all[to].first <= last; to++ {
			last = max(last, all[to].last)
			mine = mine || all[to] == p
		}
		if mine && to < len(all) {
			return last, all[to].first
		}
		if mine {
			return last, never
		}
		from = to
	}
	return p.last, never
}

// maxHops is how many processes are followed to show that a client lived on, so that time stays bounded. A violation that takes
// more is not told.
const maxHops = 50

// witnesses are the grants whose lines show that the party's client lived until its hold ended, if it was not given up: those
// with the last lines of processes of which each overlaps the next. A kill shows it only of the life that it ended. Likewise, if
// the client was killed before the party's acquire was even invoked, the grant that shows that its process existed by then.
func (g *gathered) witnesses(p *party) []checker.GrantID {
	var all []checker.GrantID
	if k, ok := g.kill(p.span); ok && k.op.Time < p.Invoke.Time {
		all = append(all, p.span.firstGrant)
	}
	if p.givenUp().Exists() {
		return all
	}
	at := p.span
	last, _ := g.life(at)
	all = append(all, at.lastGrant)
	for hops := 0; at.last < last && hops < maxHops; hops++ {
		next := at
		for _, q := range g.clients[at.client] {
			if q.first <= at.last && q.last > next.last {
				next = q
			}
		}
		if next == at {
			break
		}
		at = next
		all = append(all, at.firstGrant, at.lastGrant)
	}
	return all
}
