package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/units"
)

// Outside is something that no fault did: a process died, stood still, was not run by the machine, or somebody set its
// clock. Times are the history's nanoseconds.
type Outside struct {
	// What is history.Died, Stopped, Stalled or Stepped.
	What string `json:"what"`
	Host string `json:"host"`
	// From and To bound it. They are the same if it lasted no time.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Detail is how a process died, or by how much a clock was set.
	Detail string `json:"detail,omitempty"`
}

// Stalls counts how often processes were not run for a while although they could have been, and no fault held them.
type Stalls struct {
	N int `json:"n"`
	// Total is how long all of them lasted together, Longest the longest one, in nanoseconds.
	Total   int64 `json:"total_ns"`
	Longest int64 `json:"longest_ns"`
}

// keptOutside is how many events are kept of what happened outside: all but stalls, and the longest stalls.
const keptOutside = 256

// outside collects what no fault did.
type outside struct {
	events []Outside
	stalls Stalls
}

// take takes a line. A process that a fault held at that time stood still because of the fault.
func (o *outside) take(op *history.Op, all *faults) {
	host := op.Fault.Hosts[0]
	e := Outside{What: op.F, Host: host, From: op.Time - op.Lasted, To: op.Time, Detail: cmp.Or(op.Error, op.Fault.Settings["offset"])}
	if op.Lasted > 0 && all.held(host, e.From) {
		return
	}
	if op.F == history.Stalled {
		o.stalls.N++
		o.stalls.Total += op.Lasted
		o.stalls.Longest = max(o.stalls.Longest, op.Lasted)
	}
	o.events = append(o.events, e)
	if len(o.events) >= 2*keptOutside {
		o.trim()
	}
}

// trim forgets the shortest stalls of too many.
func (o *outside) trim() {
	if len(o.events) <= keptOutside {
		return
	}
	rank := func(e Outside) int64 {
		if e.What == history.Stalled {
			return e.To - e.From
		}
		return never
	}
	slices.SortStableFunc(o.events, func(a, b Outside) int { return cmp.Compare(rank(b), rank(a)) })
	o.events = o.events[:keptOutside]
}

// list lists what is kept, in the order in which it began.
func (o *outside) list() []Outside {
	o.trim()
	slices.SortStableFunc(o.events, func(a, b Outside) int { return cmp.Compare(a.From, b.From) })
	return o.events
}

// maxOutsideTold is how many events a reason names.
const maxOutsideTold = 3

// spoilt says what happened outside that leaves open whether the lock would have kept its promise: a process died or
// was stopped, or something stood still for longest or longer (0: that is not judged). Empty: nothing did.
func (o *outside) spoilt(begin, longest int64) string {
	var parts []string
	for _, e := range o.list() {
		if e.What == history.Died || e.What == history.Stopped || e.What == history.Stalled && longest > 0 && e.To-e.From >= longest {
			parts = append(parts, e.Text(begin)+", and no fault did it")
		}
	}
	if more := len(parts) - maxOutsideTold; more > 0 {
		parts = append(parts[:maxOutsideTold], fmt.Sprintf("%d more", more))
	}
	return strings.Join(parts, ", ")
}

// Text says what happened, as a clause. Its times count from begin.
func (e *Outside) Text(begin int64) string {
	at := func(t int64) string { return fmt.Sprintf("%.3f s", float64(t-begin)/1e9) }
	lasted := units.Duration(time.Duration(e.To - e.From))
	switch e.What {
	case history.Died:
		text := fmt.Sprintf("%s died at %s", e.Host, at(e.To))
		if e.Detail != "" {
			text += " (" + e.Detail + ")"
		}
		return text
	case history.Stopped:
		return fmt.Sprintf("%s was stopped for %s until %s", e.Host, lasted, at(e.To))
	case history.Stepped:
		return fmt.Sprintf("the clock of %s was set by %s at %s", e.Host, e.Detail, at(e.To))
	default:
		return fmt.Sprintf("%s was not run for %s until %s", e.Host, lasted, at(e.To))
	}
}
