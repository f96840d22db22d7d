package explain

import (
	"maps"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// line is one line of the history, with its number from 1.
type line struct {
	n  int
	op history.Op
}

// gathered is what was kept of a history.
type gathered struct {
	hosts  bool // several, which share no clock
	grants map[checker.GrantID][]line
	// processes are all of the history, by number, and clients those of each client.
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

// gather reads the history: once for the two grants of the first violation of each incident and, if lines of other
// grants are needed to show how long a hold lasted, once more for those.
func gather(incidents []checker.Incident, read Source) (*gathered, error) {
	g := &gathered{
		grants: map[checker.GrantID][]line{}, processes: map[int64]*span{}, clients: map[string][]*span{}, kills: map[string][]line{},
	}
	wanted := map[checker.GrantID]bool{}
	for i := range incidents {
		for _, p := range parties(&incidents[i]) {
			wanted[p.GrantID] = true
		}
	}
	if err := read(func(n int, op *history.Op) error {
		g.note(n, op)
		g.keep(wanted, n, op)
		return nil
	}); err != nil {
		return nil, err
	}
	for _, n := range slices.Sorted(maps.Keys(g.processes)) {
		p := g.processes[n]
		g.clients[p.client] = append(g.clients[p.client], p)
	}
	missing := map[checker.GrantID]bool{}
	for i := range incidents {
		for _, p := range parties(&incidents[i]) {
			for _, w := range g.witnesses(p) {
				if !wanted[w] {
					missing[w] = true
				}
			}
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

// parties are the grants of the incident's first violation.
func parties(in *checker.Incident) []*checker.Grant {
	if len(in.Violations) == 0 {
		return nil
	}
	v := &in.Violations[0]
	return []*checker.Grant{&v.By, &v.Against}
}

// note notes what is kept of every line.
func (g *gathered) note(n int, op *history.Op) {
	switch {
	case op.IsNemesis():
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

// kill finds the line of the kill that ended the grant's process, if one did: the first since it began.
func (g *gathered) kill(p *checker.Grant) (line, bool) {
	at := g.processes[p.Process]
	for _, k := range g.kills[p.Client] {
		if at != nil && k.op.Time >= at.first {
			return k, true
		}
	}
	return line{}, false
}

// maxHops is how many processes are followed to show that a client lived on, so that time stays bounded. No lines are
// found for a violation that takes more.
const maxHops = 50

// witnesses are the grants whose lines show that the hold of a grant lasted until its end. If it was not given up,
// they are those with the first and last lines of processes of which each overlaps the next: the client lived as
// long. If the client was killed before the acquire was even invoked, the grant that shows that its process existed
// by then is one, too.
func (g *gathered) witnesses(p *checker.Grant) []checker.GrantID {
	at := g.processes[p.Process]
	if at == nil {
		return nil // of another history
	}
	var all []checker.GrantID
	switch p.EndedBy {
	case checker.ByRelease, checker.ByAbandon:
		return nil
	case checker.ByKill:
		if p.To < p.Asked {
			all = append(all, at.firstGrant)
		}
	}
	all = append(all, at.lastGrant)
	for hops := 0; at.last < p.To && hops < maxHops; hops++ {
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
