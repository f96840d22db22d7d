package checker

import (
	"math"

	"github.com/lockbench/lockbench/checker/history"
)

// never is after every line.
const never = math.MaxInt64

// lives knows how long each client lived. It is told the lines in the order of their times; lines at the same time in
// any.
//
// A kill ends all processes of its client that existed at its stamp, and until then it lived. A client can also die
// of itself, which no line tells: what is certain is that it lived until its last line. A client that was started
// again under its old name has new processes, which begin after all the old ones have ended; so only processes that
// overlap in time, one with the next, vouch for each other.
type lives struct {
	clients   map[string]*client
	processes []*process // by history.Process.Index
}

// client is all lives of one client, as far as is known.
type client struct {
	lives []*life
	// alive are the processes that were not killed, killed is the time of the last kill.
	alive  []*process
	killed int64
}

// life is a time in which processes of a client overlap, one with the next. It may turn out that the next life was
// still this one: when a process that is older than the next life writes a line.
type life struct {
	into        *life // which it turned out to be part of
	index       int   // in the client's lives
	first, last int64
}

type process struct {
	*history.Process
	client *client
	began  *life
	// killed is when its client was killed while the process existed, or never.
	killed int64
}

func newLives() *lives { return &lives{clients: map[string]*client{}} }

func (ls *lives) client(name string) *client {
	c, ok := ls.clients[name]
	if !ok {
		c = &client{killed: -1}
		ls.clients[name] = c
	}
	return c
}

// line notes a line of a process.
func (ls *lives) line(hp *history.Process, at int64) {
	for hp.Index >= len(ls.processes) {
		ls.processes = append(ls.processes, nil)
	}
	p := ls.processes[hp.Index]
	if p == nil {
		ls.begin(hp, at)
		return
	}
	l := p.life()
	if l.last = at; l.index == len(p.client.lives)-1 {
		return
	}
	for _, later := range p.client.lives[l.index+1:] {
		later.into = l
	}
	p.client.lives = p.client.lives[:l.index+1]
}

func (ls *lives) begin(hp *history.Process, at int64) {
	c := ls.client(hp.Client)
	p := &process{Process: hp, client: c, killed: never}
	ls.processes[hp.Index] = p
	if n := len(c.lives); n > 0 && c.lives[n-1].last >= at {
		p.began = c.lives[n-1]
		p.began.last = at
	} else {
		p.began = &life{index: n, first: at, last: at}
		c.lives = append(c.lives, p.began)
	}
	if c.killed == at {
		p.killed = at
	} else {
		c.alive = append(c.alive, p)
	}
}

// kill notes a kill, and returns the processes that it ended.
func (ls *lives) kill(name string, at int64) []*process {
	c := ls.client(name)
	ended := c.alive
	c.killed, c.alive = at, nil
	for _, p := range ended {
		p.killed = at
	}
	return ended
}

// life is the one that the process is part of, as far as is known.
func (p *process) life() *life {
	for p.began.into != nil {
		p.began = p.began.into
	}
	return p.began
}

// diedByKill reports whether it was certainly the kill that ended the process: no other life had begun by then.
func (p *process) diedByKill() bool {
	if p.killed == never {
		return false
	}
	l := p.life()
	return l.index == len(p.client.lives)-1 || p.killed < p.client.lives[l.index+1].first
}

// last is the last time that shows its client alive, as far as is known; a kill that ends it is one.
func (p *process) last() int64 {
	if p.diedByKill() {
		return max(p.life().last, p.killed)
	}
	return p.life().last
}
