package checker

import (
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// serve takes any request that is under way, however old.
func (g *generator) serve() {
	if len(g.pending) == 0 {
		return
	}
	i := len(g.pending) - 1
	if g.oneIn(4) {
		i = g.index(len(g.pending))
	}
	r := g.pending[i]
	g.pending = slices.Delete(g.pending, i, i+1)
	op := r.invoke
	g.seq += uint64(1 + g.index(2))
	op.Time, op.Type, op.Seq = g.now, history.Apply, g.seq
	refused := g.fence == "mad" && g.oneIn(3)
	if g.fence == "right" {
		refused = !op.Token.Set || op.Token.V < g.fences[op.Lock]
	}
	if refused {
		op.Type = history.Reject
	} else {
		if op.F == history.Write {
			g.versions[op.Lock]++
		}
		op.Version = history.Some(g.versions[op.Lock])
		g.fences[op.Lock] = max(g.fences[op.Lock], op.Token.V)
	}
	r.served, r.rejected, r.version = true, refused, g.versions[op.Lock]
	g.ops = append(g.ops, op)
}

func (g *generator) endRequest(p *genProcess) {
	r := p.request
	op := r.invoke
	switch {
	case g.oneIn(6):
		op.Type = history.Info
	case r.served && !r.rejected:
		op.Type, op.Version = history.OK, history.Some(r.version)
	case r.rejected:
		op.Type = history.Fail
	case g.oneIn(4): // it never left the worker
		op.Type = history.Fail
		g.pending = slices.DeleteFunc(g.pending, func(x *genRequest) bool { return x == r })
	default:
		return
	}
	p.request = nil
	g.record(p, op)
	if op.Type == history.Info {
		g.replace(p)
	}
}
