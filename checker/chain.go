package checker

// chain is a list of grants in the order in which they came. Taking one out takes no search: each grant has its links
// in it.
type chain struct {
	of          int // which links of a grant it uses
	first, last *grant
	n           int
}

// The chains that a grant can be in.
const (
	waitingChain = iota // acquires that have not ended
	liveChain           // grants whose hold or turn is not over
	awayChain           // grants with a token that did not arrive yet
	chains
)

// links are a grant's neighbours in a chain.
type links struct {
	prev, next *grant
	in         bool
}

func (c *chain) push(g *grant) {
	l := &g.links[c.of]
	l.prev, l.next, l.in = c.last, nil, true
	if c.last == nil {
		c.first = g
	} else {
		c.last.links[c.of].next = g
	}
	c.last = g
	c.n++
}

// remove takes the grant out, if it is in.
func (c *chain) remove(g *grant) {
	l := &g.links[c.of]
	if !l.in {
		return
	}
	if l.prev == nil {
		c.first = l.next
	} else {
		l.prev.links[c.of].next = l.next
	}
	if l.next == nil {
		c.last = l.prev
	} else {
		l.next.links[c.of].prev = l.prev
	}
	*l = links{}
	c.n--
}

// next and prev are the neighbours of a grant in the chain, or nil.
func (c *chain) next(g *grant) *grant { return g.links[c.of].next }
func (c *chain) prev(g *grant) *grant { return g.links[c.of].prev }

// queue is a list of grants that are decided in its order, from the front.
type queue struct {
	grants []*grant
	head   int
	// over is how many in it are decided but for those before them, and patience how many may be, before the queue
	// goes on without the front one.
	over, patience int
}

func (q *queue) push(g *grant) { q.grants = append(q.grants, g) }

func (q *queue) len() int { return len(q.grants) - q.head }

// front is the first grant, or nil.
func (q *queue) front() *grant {
	if q.len() == 0 {
		return nil
	}
	return q.grants[q.head]
}

// pop removes the front. The array does not grow with the history.
func (q *queue) pop() {
	q.grants[q.head] = nil
	if q.head++; q.head*2 >= len(q.grants) {
		n := copy(q.grants, q.grants[q.head:])
		clear(q.grants[n:])
		q.grants, q.head = q.grants[:n], 0
	}
}
