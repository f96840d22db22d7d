package report

import (
	"cmp"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

// Kind is a kind of latency. Every run measures all of them, each in phases without a fault.
type Kind string

// The kinds.
const (
	// Uncontended: from the call of an acquire to its return, in the phases that measure latency: one worker, alone.
	Uncontended Kind = "uncontended"
	// Contended: the same in the phases in which more than one worker asks for the lock.
	Contended Kind = "contended"
	// HandOff: from the end of a hold, at which somebody was waiting already, to the return of the next grant.
	HandOff Kind = "hand-off"
)

// Kinds lists the kinds, in the order of the columns.
func Kinds() []Kind { return []Kind{Uncontended, Contended, HandOff} }

// Of is the row's latency of a kind.
func (r *Row) Of(k Kind) measure.Latency {
	switch k {
	case Contended:
		return r.Contended
	case HandOff:
		return r.HandOff
	case Uncontended:
	}
	return r.Latency
}

// mergeLatency merges what the row's tests measured, and says of a kind that has nothing why.
func (r *Row) mergeLatency() {
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Status != results.NotApplicable {
			r.Latency.Merge(t.Measured.Latency)
			r.Contended.Merge(t.Measured.Contended)
			r.HandOff.Merge(t.Measured.HandOff)
		}
	}
	for _, l := range []*measure.Latency{&r.Latency, &r.Contended, &r.HandOff} {
		if l.Reason == "" {
			l.Reason = cmp.Or(r.Driver.Reason, noHistory)
		}
	}
}

const noHistory = "there is no history"
