// Package checker judges histories. It is pure: it knows no drivers, no faults and no files, only ops.
package checker

import "fmt"

// Verdict is the outcome of a judgement; the worst of several wins.
type Verdict int

// The verdicts, from best to worst.
const (
	// NotApplicable says that the question has no meaning for this lock.
	NotApplicable Verdict = iota
	Valid
	// Unknown says that the history shows too little to tell.
	Unknown
	Invalid
)

// String names the verdict as files and tables do.
func (v Verdict) String() string {
	switch v {
	case NotApplicable:
		return "not applicable"
	case Valid:
		return "valid"
	case Unknown:
		return "unknown"
	default:
		return "invalid"
	}
}

// MarshalText writes the verdict's name.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a verdict's name.
func (v *Verdict) UnmarshalText(b []byte) error {
	for _, known := range []Verdict{NotApplicable, Valid, Unknown, Invalid} {
		if string(b) == known.String() {
			*v = known
			return nil
		}
	}
	return fmt.Errorf("unknown verdict %q", b)
}

// Judgement is a verdict and, unless it is Valid, why. Of a history of several hosts it also says what it goes by.
type Judgement struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
}

// GrantID names one grant of a history.
type GrantID struct {
	Process int64 `json:"process"`
	Grant   int64 `json:"grant"`
}

// Counts are the rows of what was counted. They overlap by nature and are never added up.
type Counts struct {
	// Attempts is how many acquires were invoked, Grants how many returned ok.
	Attempts int `json:"attempts"`
	Grants   int `json:"grants"`
	// Writes is how many writes the resource applied.
	Writes int `json:"writes"`
	// Ambiguous is how many acquires and requests ended as info, or never.
	Ambiguous int `json:"ambiguous"`

	Overlap         int `json:"overlap"`          // grants
	Interleaved     int `json:"interleaved"`      // pairs of grants
	TokenRegression int `json:"token_regression"` // grants
	StaleWrite      int `json:"stale_write"`      // writes, those of class delayed included
	StaleDelayed    int `json:"stale_delayed"`    // writes
	LostUpdate      int `json:"lost_update"`      // writes
	FencedOff       int `json:"fenced_off"`       // requests; not a violation
	BrokenFence     int `json:"broken_fence"`     // refusals that no later grant explains
	StuckLock       int `json:"stuck_lock"`       // locks

	// NeedlessLoss is how many holders were told that the lock is lost although nobody else had it, or got it before they
	// stopped. LossCost is for how long in all nobody was granted those locks afterwards, in nanoseconds. ReleasedUnheld
	// is how many releases were refused. None of them is a violation.
	NeedlessLoss   int   `json:"needless_loss,omitzero"`
	LossCost       int64 `json:"needless_loss_ns,omitzero"`
	ReleasedUnheld int   `json:"released_unheld,omitzero"` // releases

	// OverlapTime is for how long in all a lock had more than one holder, and LongestOverlap the longest such time, in
	// nanoseconds: times with three holders count once. OverlapBrief is how many of Overlap lasted for BriefOverlap at
	// the most.
	OverlapTime    int64 `json:"overlap_ns,omitzero"`
	LongestOverlap int64 `json:"longest_overlap_ns,omitzero"`
	OverlapBrief   int   `json:"overlap_brief,omitzero"` // grants
	// Told is how many holders were told that the lock is lost, of those after whom somebody else was granted it, and
	// ToldLate how many of them after that. WorstMargin is the shortest time from being told to the next grant of another
	// process, in nanoseconds: below 0, the holder was told so long after it.
	Told        int   `json:"told,omitzero"`
	ToldLate    int   `json:"told_late,omitzero"`
	WorstMargin int64 `json:"worst_margin_ns,omitzero"`
}

// BriefOverlap is how long an overlap lasts, in nanoseconds, that a scheduler may have made: the holder had let go, and
// another thread ran before its line was written. It counts all the same.
const BriefOverlap = 1_000_000

// KeptViolations is how many violations of each kind an incident keeps: those that happened first. The others are
// only counted, so that memory stays bounded.
const KeptViolations = 4

// Incident is a connected set of grants joined by violations.
type Incident struct {
	Lock string `json:"lock"`
	// Kinds names the rows of Counts that join its grants ("overlap", "stale_write"), sorted.
	Kinds  []string  `json:"kinds"`
	Grants []GrantID `json:"grants"`
	// Begin and End bound what happened, in the history's nanoseconds.
	Begin int64 `json:"begin"`
	End   int64 `json:"end"`
	// Violations are the first KeptViolations of each kind, in the order in which they happened. Unlisted is how many
	// more there are.
	Violations []Violation `json:"violations"`
	Unlisted   int         `json:"unlisted_violations,omitempty"`
}

// Result is everything the checkers say about one history.
type Result struct {
	// Begin is the first time in the history: times are told to people from there.
	Begin     int64     `json:"begin"`
	Exclusion Judgement `json:"exclusion"`
	Data      Judgement `json:"data"`
	Liveness  Judgement `json:"liveness"`
	Counts    Counts    `json:"counts"`
	// Faults are the injections, in the order in which they began.
	Faults    []Fault    `json:"faults"`
	Incidents []Incident `json:"incidents"`
	// Outside is what no fault did, in the order in which it began: all deaths, stops and set clocks, and the longest
	// stalls. Stalls counts all of those.
	Outside []Outside `json:"outside,omitempty"`
	Stalls  Stalls    `json:"stalls,omitzero"`
}

// Options are what the checkers need to know beside the history.
type Options struct {
	// StuckAfter is how long after the last fault healed a lock may go without a grant, in nanoseconds; 0: not judged.
	StuckAfter int64 `json:"stuck_after"`
	// GrantedWithin is how long a lock that is asked for, and that nobody holds, may go without a grant at any time, in
	// nanoseconds; 0: not judged. It is for histories whose faults nobody wrote down.
	GrantedWithin int64 `json:"granted_within,omitzero"`
	// Reentrant is true if a process may take a lock again that it holds, with the same token.
	Reentrant bool `json:"reentrant,omitempty"`
	// DataOptional is true if there may be no requests at all: then data is not applicable.
	DataOptional bool `json:"data_optional,omitempty"`
	// Fenced is true if the resource checked tokens.
	Fenced bool `json:"fenced"`
	// MinGrants is how many grants must be seen before the first fault and after the last one healed, and
	// MinAttempts how many acquires must wait when each fault begins, or be invoked while it lasts, for the history to
	// prove anything. 0: any.
	MinGrants   int `json:"min_grants"`
	MinAttempts int `json:"min_attempts"`
	// Share is the least part of all grants that each client must get that asked for a lock; 0: any.
	Share float64 `json:"share,omitempty"`
	// MaxStall is how long a process may stand still outside all faults, in nanoseconds, for the history to prove
	// anything; 0: any time.
	MaxStall int64 `json:"max_stall,omitempty"`
}
