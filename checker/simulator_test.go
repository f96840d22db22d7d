package checker

import (
	"container/heap"
	"math"
	"math/rand/v2"

	"github.com/lockbench/lockbench/checker/history"
)

// Times of the simulation, in nanoseconds of its own clock.
const (
	simTTL  = 1000
	simCut  = 10_000 // c1 is cut off from the lock's server
	simKill = 11_000 // the next holder is killed
	simHeal = 15_000
	simEnd  = 45_000
	// From then on releases are forgotten, or late: not before there were grants after the heal.
	simSettled = 20_000
	simBound   = 3 * simTTL // a dead holder's lock is free after one TTL, and asked for soon after
)

// planted are the bugs of a lock in memory. It is right while none is set.
type planted struct {
	ignoresTTL       bool // a hold whose client has died never expires
	reusesTokens     bool
	strangersRelease bool // whoever releases frees the lock
	grantsTwice      bool
	forgetsRelease   bool // one release, and the lock has lost its TTL too
	releasesLate     bool // it says that the lock is free long before it is
	// overstays is no bug of the lock but of its users: they work on when their TTL is over.
	overstays bool
	// fenced is no bug: the resource checks tokens.
	fenced bool
}

// simulation runs clients, a lock and a resource on one clock, an event at a time: a seed repeats it exactly.
type simulation struct {
	planted
	random    *rand.Rand
	now       int64
	events    simEvents
	scheduled int
	ops       []history.Op
	processes int64
	kill      bool // the next holder

	// The lock.
	held           bool
	holder         GrantID
	until          int64 // when the TTL ends
	token          uint64
	granted, asked int

	// The resource.
	seq, version, fence uint64
}

type simEvent struct {
	at int64
	n  int // of equal times, the one scheduled first
	do func()
}

type simEvents []simEvent

func (e simEvents) Len() int { return len(e) }

func (e simEvents) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].n < e[j].n
}

func (e simEvents) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push and Pop implement heap.Interface.
func (e *simEvents) Push(x any) { *e = append(*e, x.(simEvent)) }

// Pop removes the last event.
func (e *simEvents) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (s *simulation) at(t int64, do func()) {
	s.scheduled++
	heap.Push(&s.events, simEvent{t, s.scheduled, do})
}

// between draws a time from low to high.
func (s *simulation) between(low, high int64) int64 { return low + s.random.Int64N(high-low+1) }

func (s *simulation) oneIn(n int) bool { return s.random.IntN(n) == 0 }

func (s *simulation) record(op history.Op) {
	op.Index, op.Time = int64(len(s.ops)), s.now
	s.ops = append(s.ops, op)
}

func (s *simulation) nemesis(f string, typ history.Type, client, value string) {
	s.record(history.Op{Client: client, Process: history.NemesisProcess, F: f, Type: typ, Fault: faultOn(value)})
}

// simulate returns the history of four clients.
func simulate(p planted, seed uint64) []history.Op {
	s := &simulation{planted: p, random: rand.New(rand.NewPCG(seed, 1))}
	for _, client := range []string{"c1", "c2", "c3", "c4"} {
		s.start(client)
	}
	const cut = "c1 from the lock"
	s.at(simCut, func() {
		s.nemesis("partition", history.Invoke, "nemesis", cut)
		s.nemesis("partition", history.OK, "nemesis", cut)
	})
	s.at(simKill, func() { s.kill = true })
	s.at(simHeal, func() {
		s.nemesis(history.Heal, history.Invoke, "nemesis", cut)
		s.nemesis(history.Heal, history.OK, "nemesis", cut)
	})
	for len(s.events) > 0 {
		e := heap.Pop(&s.events).(simEvent)
		s.now = e.at
		e.do()
	}
	return s.ops
}

// cross is when a message between a client and the lock's server arrives. A cut holds it back until the heal.
func (s *simulation) cross(client string) int64 {
	arrives := s.now + s.between(1, 8)
	if client == "c1" && arrives > simCut && s.now < simHeal {
		return simHeal + s.between(1, 8)
	}
	return arrives
}

// acquire is served by the lock.
func (s *simulation) acquire(who GrantID) (token uint64, ok bool) {
	if s.held && s.now >= s.until && !s.ignoresTTL {
		s.held = false
	}
	s.asked++
	if s.held && !(s.grantsTwice && s.asked%20 == 0) {
		return 0, false
	}
	s.granted++
	s.held, s.holder, s.until = true, who, s.now+simTTL
	if !s.reusesTokens || s.granted%10 != 0 {
		s.token++
	}
	return s.token, true
}

// release is served by the lock.
func (s *simulation) release(who GrantID) {
	mine := s.held && s.holder == who
	switch {
	case mine && s.forgetsRelease && s.now > simSettled:
		s.until = math.MaxInt64
	case mine && s.releasesLate && s.now > simSettled:
		s.until = s.now + 4*simTTL
	case mine || s.strangersRelease:
		s.held = false
	}
}

// serve is the resource, as it takes a request.
func (s *simulation) serve(op history.Op) (version uint64, ok bool) {
	s.seq++
	op.Seq, op.Type = s.seq, history.Apply
	if s.fenced && op.Token.V < s.fence {
		op.Type = history.Reject
		s.record(op)
		return 0, false
	}
	s.fence = max(s.fence, op.Token.V)
	if op.F == history.Write {
		s.version++
	}
	op.Version = history.Some(s.version)
	s.record(op)
	return s.version, true
}
