package checker

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// generator draws well-formed histories of a lock that promises nothing. Times stand still often, so that ties are
// common.
type generator struct {
	t         *rapid.T
	ops       []history.Op
	now       int64
	locks     []string
	processes []*genProcess
	numbers   int64
	pending   []*genRequest // invoked, and not at the resource yet
	seq       uint64
	versions  map[string]uint64
	fences    map[string]uint64
	tokens    string // of the locks: none, rising, any, mixed
	fence     string // of the resource: none, right, mad
	rising    uint64
	// polite: the lock is rarely granted while it is held. Then requests that come late stand out.
	polite bool
}

type genProcess struct {
	n       int64
	client  string
	asked   int64
	grants  []*genGrant // it may make requests of
	acquire *history.Op
	request *genRequest
	release *history.Op
	ended   bool
}

type genGrant struct {
	n, requests int64
	lock        string
	token       history.Uint
}

type genRequest struct {
	invoke           history.Op
	served, rejected bool
	version          uint64
}

func drawHistory(t *rapid.T) []history.Op { return drawSteps(t, 0, 40, 80, 160, 160, 160) }

// drawSteps draws a history of one of the numbers of steps; a step makes a few lines at most.
func drawSteps(t *rapid.T, steps ...int) []history.Op {
	g := &generator{t: t, versions: map[string]uint64{}, fences: map[string]uint64{}, now: 100}
	for i := range 1 + g.index(3) {
		g.locks = append(g.locks, fmt.Sprintf("l%d", i+1))
	}
	g.tokens = draw(g, "none", "rising", "any", "any", "mixed")
	g.fence = draw(g, "none", "none", "right", "mad")
	g.polite = g.index(2) == 1
	clients := 1 + g.index(5)
	for i := range clients + g.index(3) {
		g.start(fmt.Sprintf("c%d", i%clients+1))
	}
	for range draw(g, steps...) {
		g.now += int64(draw(g, 0, 0, 1, 1, 3))
		switch draw(g, "worker", "worker", "worker", "worker", "worker", "worker", "worker", "worker", "worker", "worker", "worker", "worker", "resource", "resource", "nemesis") {
		case "worker":
			g.work(draw(g, g.processes...))
		case "resource":
			g.serve()
		default:
			g.inject()
		}
	}
	for i := range g.ops {
		g.ops[i].Index = int64(i)
	}
	return g.ops
}

// index draws evenly from 0 to n-1; rapid's own integers are mostly small ones, and what takes several unlikely steps
// in a row would hardly ever happen. n is up to 32.
func (g *generator) index(n int) int {
	i := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 6, 6).Draw(g.t, "index") {
		i *= 2
		if bit {
			i++
		}
	}
	return i * n / 64
}

func (g *generator) oneIn(n int) bool { return g.index(n) == n-1 }

// draw draws evenly from the choices.
func draw[T any](g *generator, choices ...T) T { return choices[g.index(len(choices))] }

func (g *generator) start(client string) {
	g.processes = append(g.processes, &genProcess{n: g.numbers, client: client})
	g.numbers++
}

func (g *generator) record(p *genProcess, op history.Op) {
	op.Time, op.Client, op.Process = g.now, p.client, p.n
	g.ops = append(g.ops, op)
}

func (g *generator) nemesis(op history.Op) {
	op.Time, op.Process = g.now, history.NemesisProcess
	if op.Client == "" {
		op.Client = "nemesis"
	}
	g.ops = append(g.ops, op)
}

func (g *generator) inject() {
	client := draw(g, g.processes...).client
	switch g.index(8) {
	case 0:
		g.nemesis(history.Op{Type: history.Invoke, F: "partition", Fault: faultOn("n1")})
	case 1: // who is stopped still holds, and goes on as if nothing had been
		g.nemesis(history.Op{Type: history.Invoke, F: "pause", Fault: faultOn(client)})
	case 2, 3, 4, 5:
		g.nemesis(history.Op{Type: history.OK, F: history.Heal, Fault: faultOn("n1")})
	case 6: // the client dies of itself, which no line tells
		for _, p := range g.processes {
			if p.client == client {
				p.ended, p.grants = true, nil
			}
		}
		g.start(client)
	default:
		g.nemesis(history.Op{Type: history.Invoke, F: history.Kill, Client: client})
		for _, p := range g.processes {
			if p.client == client && !g.oneIn(3) { // a few write a moment longer
				p.ended = true
			}
		}
		g.start(client)
	}
}

// replace lets the worker of p go on under a new number.
func (g *generator) replace(p *genProcess) {
	p.ended = true
	g.start(p.client)
}

func (g *generator) work(p *genProcess) {
	switch {
	case p.ended:
		// An old grant may still be given up, and that ends nothing but its hold.
		if len(p.grants) > 0 && g.oneIn(2) {
			g.giveUp(p, g.pick(p))
		}
	case p.acquire != nil:
		g.endAcquire(p)
	case p.request != nil:
		g.endRequest(p)
	case p.release != nil:
		op := *p.release
		op.Type = draw(g, history.OK, history.OK, history.Fail, history.Info)
		p.release = nil
		g.record(p, op)
		if op.Type == history.Info {
			g.replace(p)
		}
	case len(p.grants) == 0 || g.oneIn(12):
		p.asked++
		op := history.Op{Type: history.Invoke, F: history.Acquire, Lock: draw(g, g.locks...), Grant: p.asked}
		p.acquire = &op
		g.record(p, op)
	default:
		g.use(p, g.pick(p))
	}
}

func (g *generator) pick(p *genProcess) *genGrant {
	return draw(g, p.grants...)
}

func (g *generator) token() history.Uint {
	if g.tokens == "rising" {
		g.rising++
		return history.Some(g.rising - 1)
	}
	if g.tokens == "none" || g.tokens == "mixed" && g.oneIn(3) {
		return history.Uint{}
	}
	return history.Some(uint64(g.index(7)))
}

func (g *generator) endAcquire(p *genProcess) {
	op := *p.acquire
	if g.polite && g.heldNow(op.Lock) && !g.oneIn(15) {
		return
	}
	p.acquire = nil
	op.Type = draw(g, history.OK, history.OK, history.OK, history.OK, history.Fail, history.Info)
	if op.Type == history.OK {
		op.Token = g.token()
		p.grants = append(p.grants, &genGrant{n: op.Grant, lock: op.Lock, token: op.Token})
	}
	g.record(p, op)
	if op.Type == history.Info {
		g.replace(p)
	}
}

func (g *generator) heldNow(lock string) bool {
	return slices.ContainsFunc(g.processes, func(p *genProcess) bool {
		return !p.ended && slices.ContainsFunc(p.grants, func(h *genGrant) bool { return h.lock == lock })
	})
}

func (g *generator) use(p *genProcess, h *genGrant) {
	op := history.Op{Lock: h.lock, Grant: h.n}
	switch draw(g, "read", "write", "write", "write", "lost", "release", "release", "abandon") {
	case "lost":
		op.F, op.Type = history.Lost, history.OK
		g.record(p, op)
		return
	case "release":
		op.F, op.Type = history.Release, history.Invoke
		p.release = &op
		g.record(p, op)
		if !g.oneIn(4) { // else it may be used after the release
			p.drop(h)
		}
		return
	case "abandon":
		g.giveUp(p, h)
		return
	case "read":
		op.F = history.Read
	default:
		op.F = history.Write
		base := g.versions[h.lock]
		if base > 0 && g.oneIn(3) {
			base = rapid.Uint64Range(0, base).Draw(g.t, "base")
		}
		op.Base = history.Some(base)
	}
	h.requests++
	op.Type, op.Request, op.Token = history.Invoke, h.requests, h.token
	r := &genRequest{}
	g.record(p, op)
	r.invoke = g.ops[len(g.ops)-1]
	p.request = r
	g.pending = append(g.pending, r)
	if g.oneIn(2) {
		g.serve()
	}
}

func (g *generator) giveUp(p *genProcess, h *genGrant) {
	g.record(p, history.Op{F: history.Abandon, Type: history.OK, Lock: h.lock, Grant: h.n})
	p.drop(h)
}

func (p *genProcess) drop(h *genGrant) {
	p.grants = slices.DeleteFunc(p.grants, func(x *genGrant) bool { return x == h })
}
