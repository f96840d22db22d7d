package checker

import (
	"cmp"
	"math"
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// oracle judges a history straight from the definitions, one pair at a time. It shares no code with the checkers,
// neither the sweeps nor the reading of the history, and takes the lines as they come.
type oracle struct {
	ops    []history.Op
	grants []*oracleGrant
	reqs   []*oracleRequest // as the resource took them
	counts Counts
	// must are pairs that are in one incident; may are those that can be.
	must, may [][2]GrantID
	both      map[string][][2]int64 // when each lock had two holders
}

type oracleGrant struct {
	id              GrantID
	client, lock    string
	token           history.Uint
	invLine, okLine int
	inv, ok         int64
	killed, last    int64
	endLine         int // of its own process
	endTime         int64
}

type oracleRequest struct {
	g                  *oracleGrant
	f                  string
	applied            bool
	invLine, ansLine   int
	inv, ans           int64
	seq, base, version uint64
}

func newOracle(ops []history.Op) *oracle {
	o := &oracle{ops: ops, both: map[string][][2]int64{}}
	for i, op := range ops {
		if op.F == history.Acquire && op.Type == history.OK {
			o.grants = append(o.grants, o.grant(i, op))
		}
	}
	for _, op := range ops {
		if op.Type == history.Apply || op.Type == history.Reject {
			o.reqs = append(o.reqs, o.request(op))
		}
	}
	return o
}

func (o *oracle) find(match func(history.Op) bool) (line int, at int64) {
	for i, op := range o.ops {
		if match(op) {
			return i, op.Time
		}
	}
	return math.MaxInt, math.MaxInt64
}

func isWorkerLine(op history.Op) bool {
	return op.Process >= 0 && op.Type != history.Apply && op.Type != history.Reject
}

func (o *oracle) grant(line int, ok history.Op) *oracleGrant {
	g := &oracleGrant{id: GrantID{ok.Process, ok.Grant}, client: ok.Client, lock: ok.Lock, token: ok.Token, okLine: line, ok: ok.Time}
	of := func(f string, t history.Type) func(history.Op) bool {
		return func(op history.Op) bool {
			return op.Process == ok.Process && op.Grant == ok.Grant && op.F == f && op.Type == t
		}
	}
	g.invLine, g.inv = o.find(of(history.Acquire, history.Invoke))
	release, _ := o.find(of(history.Release, history.Invoke))
	abandon, _ := o.find(of(history.Abandon, history.OK))
	g.endLine, g.endTime = min(release, abandon), math.MaxInt64
	if g.endLine < len(o.ops) {
		g.endTime = o.ops[g.endLine].Time
	}
	_, born := o.find(func(op history.Op) bool { return isWorkerLine(op) && op.Process == ok.Process })
	g.killed = math.MaxInt64
	for _, op := range o.ops {
		if op.F == history.Kill && op.Type == history.Invoke && op.Client == ok.Client && op.Time >= born {
			g.killed = min(g.killed, op.Time)
		}
	}
	g.last = o.lastOfLife(ok.Process, ok.Client)
	again := false // did another life begin before the kill?
	for _, op := range o.ops {
		again = again || isWorkerLine(op) && op.Client == ok.Client && op.Time > g.last && op.Time <= g.killed
	}
	if g.killed != math.MaxInt64 && !again {
		g.last = max(g.last, g.killed)
	}
	return g
}

// lastOfLife is the last line of the processes of the client that are linked to the process by overlapping in time.
func (o *oracle) lastOfLife(process int64, client string) int64 {
	type span struct{ from, to int64 }
	spans := map[int64]span{}
	for _, op := range o.ops {
		if !isWorkerLine(op) || op.Client != client {
			continue
		}
		s, ok := spans[op.Process]
		if !ok {
			s.from = op.Time
		}
		s.to = op.Time
		spans[op.Process] = s
	}
	life := map[int64]bool{process: true}
	for changed := true; changed; {
		changed = false
		for p, s := range spans {
			for q := range life {
				if t := spans[q]; !life[p] && s.from <= t.to && t.from <= s.to {
					life[p], changed = true, true
				}
			}
		}
	}
	last := int64(0)
	for p := range life {
		last = max(last, spans[p].to)
	}
	return last
}

func (o *oracle) request(op history.Op) *oracleRequest {
	r := &oracleRequest{f: op.F, applied: op.Type == history.Apply, seq: op.Seq, version: op.Version.V}
	for _, g := range o.grants {
		if g.id == (GrantID{op.Process, op.Grant}) {
			r.g = g
		}
	}
	same := func(x history.Op) bool {
		return isWorkerLine(x) && x.F == op.F && x.Process == op.Process && x.Grant == op.Grant && x.Request == op.Request
	}
	r.invLine, r.inv = o.find(func(x history.Op) bool { return same(x) && x.Type == history.Invoke })
	r.ansLine, r.ans = o.find(func(x history.Op) bool { return same(x) && (x.Type == history.OK || x.Type == history.Fail) })
	r.base = o.ops[r.invLine].Base.V
	return r
}

func (g *oracleGrant) held() bool { return g.killed > g.ok }

func (g *oracleGrant) end() int64 {
	if g.endTime == math.MaxInt64 {
		return min(g.last, g.killed)
	}
	return min(g.endTime, g.killed)
}

// inside says whether a line of the grant's process comes before the end of its hold.
func (g *oracleGrant) inside(line int, at int64) bool { return line < g.endLine && at < g.killed }

// beganIn says whether x's hold began while y's was open.
func beganIn(x, y *oracleGrant) bool {
	if x == y || x.lock != y.lock || !x.held() || !y.held() {
		return false
	}
	if x.id.Process == y.id.Process {
		return y.okLine < x.okLine && x.okLine < y.endLine
	}
	if x.ok == y.ok {
		return x.end() > x.ok && y.end() > y.ok && x.okLine > y.okLine
	}
	return y.ok < x.ok && x.ok < y.end()
}

func returnedBefore(a, b *oracleGrant) bool {
	if a.id.Process == b.id.Process {
		return a.okLine < b.invLine
	}
	return a.ok < b.inv
}

func isLater(b, a *oracleGrant) bool {
	if a == b || a.lock != b.lock {
		return false
	}
	if returnedBefore(a, b) || returnedBefore(b, a) {
		return returnedBefore(a, b)
	}
	return a.token.Set && b.token.Set && b.token.V > a.token.V
}

func (o *oracle) judge() {
	for _, x := range o.grants {
		o.overlap(x)
		o.tokens(x)
		for _, y := range o.grants {
			o.interleaved(x, y)
		}
	}
	o.overlapTimes()
	for i, r := range o.reqs {
		o.stale(r, o.reqs[:i])
		o.lost(r, o.reqs[:i])
	}
}

func (o *oracle) overlap(x *oracleGrant) {
	counted, until := 0, int64(0)
	for _, y := range o.grants {
		if beganIn(x, y) {
			counted, until = 1, max(until, min(x.end(), y.end()))
			o.must = append(o.must, [2]GrantID{x.id, y.id})
		}
	}
	o.counts.Overlap += counted
	if counted > 0 && until-x.ok <= BriefOverlap {
		o.counts.OverlapBrief++
	}
	if counted > 0 {
		o.both[x.lock] = append(o.both[x.lock], [2]int64{x.ok, until})
	}
}

// overlapTimes joins the times in which a lock had two holders.
func (o *oracle) overlapTimes() {
	for _, spans := range o.both {
		slices.SortFunc(spans, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
		for len(spans) > 0 {
			from, until := spans[0][0], spans[0][1]
			for len(spans) > 0 && spans[0][0] <= until {
				until, spans = max(until, spans[0][1]), spans[1:]
			}
			o.counts.OverlapTime += until - from
			o.counts.LongestOverlap = max(o.counts.LongestOverlap, until-from)
		}
	}
}

func (o *oracle) tokens(x *oracleGrant) {
	counted := 0
	for _, y := range o.grants {
		if x == y || x.lock != y.lock || !x.token.Set || !y.token.Set {
			continue
		}
		equal := x.token.V == y.token.V && (y.ok < x.ok || y.ok == x.ok && o.goesFirst(y, x, returnedBefore))
		if returnedBefore(y, x) && y.token.V >= x.token.V || equal {
			counted = 1
			o.may = append(o.may, [2]GrantID{x.id, y.id})
			if y.token.V == x.token.V {
				o.must = append(o.must, [2]GrantID{x.id, y.id})
			}
		}
	}
	o.counts.TokenRegression += counted
}

// goesFirst says which of two grants with the same token, whose order nothing tells, is taken as the first: one whose
// token is above those of all that were known to be before it, else that of the first line.
func (o *oracle) goesFirst(y, x *oracleGrant, before func(a, b *oracleGrant) bool) bool {
	convicted := func(g *oracleGrant) bool {
		return slices.ContainsFunc(o.grants, func(b *oracleGrant) bool {
			return b != g && b.lock == g.lock && b.token.Set && before(b, g) && b.token.V >= g.token.V
		})
	}
	if convicted(x) != convicted(y) {
		return convicted(x)
	}
	return y.okLine < x.okLine
}

// interleaved looks for a request of b between two of a; the other way round is asked by another call.
func (o *oracle) interleaved(a, b *oracleGrant) {
	if a == b || a.lock != b.lock || isLater(a, b) || isLater(b, a) {
		return
	}
	qualified := func(r *oracleRequest, g *oracleGrant) bool {
		return r.g == g && r.ansLine < len(o.ops) && g.inside(r.ansLine, r.ans)
	}
	between := func(a, b *oracleGrant) bool {
		for i, x := range o.reqs {
			for j, y := range o.reqs {
				for k, z := range o.reqs {
					if i < j && j < k && qualified(x, a) && qualified(y, b) && qualified(z, a) {
						return true
					}
				}
			}
		}
		return false
	}
	if a.okLine < b.okLine && (between(a, b) || between(b, a)) { // each pair once
		o.counts.Interleaved++
		o.must = append(o.must, [2]GrantID{a.id, b.id})
	}
}

func (o *oracle) stale(r *oracleRequest, earlier []*oracleRequest) {
	var later []*oracleGrant
	for _, e := range earlier {
		if e.applied && isLater(e.g, r.g) {
			later = append(later, e.g)
		}
	}
	switch {
	case !r.applied && len(later) > 0:
		o.counts.FencedOff++
	case !r.applied:
		o.counts.BrokenFence++
	case r.f == history.Write && len(later) > 0:
		o.counts.StaleWrite++
		delayed := r.g.inside(r.invLine, r.inv)
		for _, l := range later {
			o.may = append(o.may, [2]GrantID{r.g.id, l.id})
			if l.id.Process == r.g.id.Process {
				delayed = delayed && r.invLine < l.okLine
			} else {
				delayed = delayed && r.inv < l.ok
			}
		}
		for _, g := range o.grants {
			delayed = delayed && !beganIn(g, r.g) && !beganIn(r.g, g)
		}
		if delayed {
			o.counts.StaleDelayed++
		}
	}
}

func (o *oracle) lost(r *oracleRequest, earlier []*oracleRequest) {
	if !r.applied || r.f != history.Write {
		return
	}
	version := uint64(0)
	writer := r.g
	for _, e := range earlier {
		if e.applied && e.f == history.Write && e.g.lock == r.g.lock {
			version++
			writer = e.g
		}
	}
	o.counts.Writes++
	if r.base != version {
		o.counts.LostUpdate++
		o.must = append(o.must, [2]GrantID{r.g.id, writer.id})
	}
}
