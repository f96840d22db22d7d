package checker

import (
	"cmp"

	"github.com/lockbench/lockbench/checker/history"
)

// The kinds of violations: the rows of Counts that join grants to incidents.
const (
	Overlap         = "overlap"
	Interleaved     = "interleaved"
	TokenRegression = "token_regression"
	StaleWrite      = "stale_write"
	// StaleDelayed is a class of StaleWrite. It is among the kinds of an incident, but its violations are stale writes.
	StaleDelayed = "stale_delayed"
	LostUpdate   = "lost_update"
)

// Violation is one violation of a promise of a lock. Times are the history's nanoseconds.
type Violation struct {
	Kind string `json:"kind"`
	Lock string `json:"lock"`
	// At is when it happened, or when it began; Until is when it was over.
	At    int64 `json:"at"`
	Until int64 `json:"until"`
	// By is the grant that is counted, Against the one that it came into conflict with. They are the same if a grant
	// overwrote a write of its own.
	By      Grant `json:"by"`
	Against Grant `json:"against"`
	// Overlap is how long both holds of an overlap were open, in nanoseconds.
	Overlap int64 `json:"overlap_ns,omitempty"`
	// Requests are those that show it, by kind. Interleaved: the first request of Against, the first of By and the
	// last of Against. StaleWrite: the write, and the first request of Against. LostUpdate: the write, and the one
	// that it overwrote.
	Requests []Request `json:"requests,omitempty"`
	// Delayed is true of a stale write that was sent in good faith and arrived late.
	Delayed bool `json:"delayed,omitempty"`
	// Version is the one that a stale write or a lost update made, Base the one that its writer had read, and
	// Overwrote the one that a lost update erased.
	Version   *uint64 `json:"version,omitempty"`
	Base      *uint64 `json:"base,omitempty"`
	Overwrote *uint64 `json:"overwrote,omitempty"`
	// Provisional is true while it may turn out that there is no violation: see SoFar.
	Provisional bool `json:"provisional,omitempty"`
}

// ViolationID tells violations of one history apart. It does not change when a provisional violation becomes certain.
type ViolationID struct {
	Kind        string
	At          int64
	By, Against GrantID
}

// ID identifies the violation within its history.
func (v *Violation) ID() ViolationID {
	return ViolationID{Kind: v.Kind, At: v.At, By: v.By.GrantID, Against: v.Against.GrantID}
}

// Grant is one grant that took part in a violation.
type Grant struct {
	GrantID
	Client string `json:"client"`
	// Asked is when its acquire was invoked, and From when it was granted. To is when its hold ended; it is not after
	// From if its client was dead by then.
	Asked int64   `json:"asked"`
	From  int64   `json:"from"`
	To    int64   `json:"to"`
	Token *uint64 `json:"token,omitempty"`
	// EndedBy says what ended the hold. It is empty while the hold may still be open; To is then when it was last
	// known to be.
	EndedBy string `json:"ended_by"`
}

// What ends a hold.
const (
	ByRelease = "release"
	ByAbandon = "abandon"
	ByKill    = "kill"
	// ByLastLine says that nothing ended it, and its client was not seen again.
	ByLastLine = "last line"
)

// Request is one read or write of the resource.
type Request struct {
	GrantID
	// Request is its number within the grant, F is "read" or "write", and Seq its place in the resource's order.
	Request int64  `json:"request"`
	F       string `json:"f"`
	Seq     uint64 `json:"seq"`
	// Invoked is when the worker sent it, Served when the resource served or refused it.
	Invoked int64 `json:"invoked"`
	Served  int64 `json:"served"`
}

// kind orders the kinds in which violations are told.
type kind int

const (
	overlapKind kind = iota
	interleavedKind
	regressionKind
	staleKind
	delayedKind
	lostKind
	kinds
)

// String is the kind's name in files.
func (k kind) String() string {
	return [kinds]string{Overlap, Interleaved, TokenRegression, StaleWrite, StaleDelayed, LostUpdate}[k]
}

// finding is a violation as a sweep finds it. Its grants may go on changing until the history is over.
type finding struct {
	kind      kind
	grants    []*grant // the one that is counted first, then the one that it conflicts with, and others that it joins
	requests  []*history.Request
	at, until int64
	// order is that of findings of one kind that are at the same time.
	order       [2]uint64
	delayed     bool
	provisional bool
}

func (f *finding) compare(o *finding) int {
	return cmp.Or(cmp.Compare(f.at, o.at), cmp.Compare(f.kind, o.kind), cmp.Compare(f.order[0], o.order[0]), cmp.Compare(f.order[1], o.order[1]))
}

// violation is the finding as far as it is known now.
func (f *finding) violation() Violation {
	v := Violation{
		Kind: f.kind.String(), Lock: f.grants[0].lock.name, At: f.at, Until: f.until, By: f.grants[0].public(), Against: f.grants[1].public(),
		Delayed: f.delayed, Provisional: f.provisional,
	}
	for _, r := range f.requests {
		v.Requests = append(v.Requests, Request{
			GrantID: GrantID{r.Grant.Process.N, r.Grant.N}, Request: r.N, F: r.F, Seq: r.Seq, Invoked: r.Invoke.Time, Served: r.Served.Time,
		})
	}
	switch f.kind {
	case overlapKind:
		v.Overlap = f.until - f.at
	case lostKind:
		v.Overwrote = number(f.requests[1].Version)
		fallthrough
	case staleKind:
		v.Version, v.Base = number(f.requests[0].Version), number(f.requests[0].Base)
	}
	return v
}

// public is the grant as far as it is known now.
func (g *grant) public() Grant {
	return Grant{
		GrantID: g.id(), Client: g.Process.Client, Asked: g.Invoke.Time, From: g.Return.Time, To: g.knownEnd(), Token: number(g.Token), EndedBy: g.endedBy(),
	}
}

// endedBy says what ended the hold, or nothing if it may still be open.
func (g *grant) endedBy() string {
	up := g.givenUp()
	switch {
	case up.Exists() && up.Time <= g.process.killed && up == g.Abandon:
		return ByAbandon
	case up.Exists() && up.Time <= g.process.killed:
		return ByRelease
	case !g.decided:
		return ""
	case g.end == g.process.killed:
		return ByKill
	default:
		return ByLastLine
	}
}

// number is nil for a number that is absent.
func number(u history.Uint) *uint64 {
	if !u.Set {
		return nil
	}
	return &u.V
}
