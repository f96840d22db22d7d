package checker

import "github.com/lockbench/lockbench/checker/history"

// grant is an acquire and, if it returned ok, its hold.
type grant struct {
	*history.Grant
	lock    *lock
	process *process
	// end is when its hold ended, once that is decided. It is not after Return for a client that was killed before:
	// that grant was never held.
	end     int64
	decided bool

	// overlapped is true if its hold overlapped another, whichever began first.
	overlapped bool
	// open is true while the hold may be open, by the lines so far; contested if another was when it began. own is
	// then one of its own process; below is likewise, and may be one that was open later.
	open, contested bool
	own, below      *grant
	// over is true if its acquire has ended, or its client was killed before that.
	over bool
	// toldLost is true if its client learned that it had lost the lock, while it held it.
	toldLost bool
	// run is what it has in common with its process's grants before and after it; nil until it has returned.
	run *run
	// outer is the grant that its process held already, if locks are reentrant: its requests count as that one's.
	outer *grant
	// silent is true if its client was taken for dead since silence; follower is the hold that began next.
	silent   bool
	silence  int64
	follower *grant
	// above is the grant of the highest token that had returned when this one was asked for; regressed is true if this
	// one's token is not above that.
	above     *grant
	regressed bool
	// first is its first request that was served; nil: none was.
	first *history.Request
	// next is a later grant of its process that arrived and was invoked at the very time at which this one returned.
	next  *grant
	good  goodFaith
	turn  turn
	links [chains]links
	// incident is the one that it is part of.
	incident *group
}

func (g *grant) key() history.GrantKey { return history.GrantKey{Process: g.Process.N, Grant: g.N} }

func (g *grant) id() GrantID { return GrantID{Process: g.Process.N, Grant: g.N} }

// held reports whether there was a hold at all, as far as is known.
func (g *grant) held() bool { return g.Return.Time < g.process.killed }

// covers reports whether the line s, of g's own process and after the return of its acquire, stands before the end of
// its hold. Within a process lines are ordered; a kill at the same time may have come first.
func (g *grant) covers(s history.Stamp) bool {
	up := g.givenUp()
	return s.Time < g.process.killed && (!up.Exists() || s.Line < up.Line)
}

// givenUp is the line by which the worker gave the grant up, the call of release or abandon, if there is one.
func (g *grant) givenUp() history.Stamp {
	if g.Abandon.Exists() && (!g.Release.Exists() || g.Abandon.Line < g.Release.Line) {
		return g.Abandon
	}
	return g.Release
}

// knownEnd is when the hold ended or, if nothing ended it yet, the last time at which it is known to be open.
func (g *grant) knownEnd() int64 {
	switch s := g.givenUp(); {
	case g.decided:
		return g.end
	case s.Exists():
		return min(s.Time, g.process.killed)
	default:
		return min(g.process.last(), g.process.killed)
	}
}

// before reports whether a's acquire had returned before b's was invoked. At equal times only a process's own lines are
// ordered.
func before(a, b *grant) bool {
	if a.process == b.process {
		return a.N < b.N
	}
	return a.Return.Exists() && a.Return.Time < b.Invoke.Time
}

// later reports whether b is a later grant than a: by time if one acquire had returned before the other was
// invoked, else by token if both have one. Time goes first because a server that lost its token counter would
// otherwise get its only true holder convicted.
func later(b, a *grant) bool {
	switch {
	case before(a, b):
		return true
	case before(b, a):
		return false
	default:
		return a.Token.Set && b.Token.Set && b.Token.V > a.Token.V
	}
}
