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
}

// Incident is a connected set of grants joined by violations.
type Incident struct {
	Lock string `json:"lock"`
	// Kinds names the rows of Counts that join its grants ("overlap", "stale_write"), sorted.
	Kinds  []string  `json:"kinds"`
	Grants []GrantID `json:"grants"`
	// Begin and End bound what happened, in the history's nanoseconds.
	Begin int64 `json:"begin"`
	End   int64 `json:"end"`
	// Explanation is one sentence about the incident's first violation.
	Explanation string `json:"explanation"`
}

// Result is everything the checkers say about one history.
type Result struct {
	Exclusion Judgement  `json:"exclusion"`
	Data      Judgement  `json:"data"`
	Liveness  Judgement  `json:"liveness"`
	Counts    Counts     `json:"counts"`
	Incidents []Incident `json:"incidents"`
}

// Options are what the checkers need to know beside the history.
type Options struct {
	// StuckAfter is how long after the last fault healed a lock may go without a grant, in nanoseconds; 0: not judged.
	StuckAfter int64 `json:"stuck_after"`
	// Fenced is true if the resource checked tokens.
	Fenced bool `json:"fenced"`
	// MinGrants is how many grants must be seen before the first fault and after the last one healed, and
	// MinAttempts how many acquires must be invoked during each fault, for the history to prove anything. 0: any.
	MinGrants   int `json:"min_grants"`
	MinAttempts int `json:"min_attempts"`
}
