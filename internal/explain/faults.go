package explain

import (
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/history"
)

// Fault is one strike of the nemesis.
type Fault struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	// From is when it was in place or, if nobody knows, when it was about to be; To is when its heal began, or 0 if it was not
	// healed.
	From int64 `json:"from"`
	To   int64 `json:"to,omitzero"`
	// Uncertain is true if it may not have struck.
	Uncertain bool `json:"uncertain,omitempty"`

	answered bool // the nemesis said how the strike ended
}

// findFaults pairs faults with their heals. A heal ends the oldest fault of its value that is not healed; if none is of its
// value, it ends all.
func findFaults(nemesis []line) []Fault {
	var faults []Fault
	var healing []string // the values of heals that have begun, whose end is not a heal of its own
	for _, l := range nemesis {
		op := &l.op
		value := op.Value
		if op.F == history.Kill {
			value = op.Client
		}
		mine := func(f Fault) bool { return f.Value == value && f.To == never }
		switch {
		case op.F == history.Phase:
		case op.F == history.Heal:
			if i := slices.Index(healing, value); op.Type != history.Invoke && i >= 0 {
				healing = slices.Delete(healing, i, i+1)
				continue
			}
			if op.Type == history.Invoke {
				healing = append(healing, value)
			}
			if i := slices.IndexFunc(faults, mine); i >= 0 {
				faults[i].To = op.Time
				continue
			}
			for i := range faults {
				faults[i].To = min(faults[i].To, op.Time)
			}
		case op.Type == history.Invoke:
			faults = append(faults, Fault{Name: op.F, Value: value, From: op.Time, To: never})
		default:
			i := slices.IndexFunc(faults, func(f Fault) bool { return f.Name == op.F && mine(f) && !f.answered })
			if i < 0 {
				continue
			}
			faults[i].answered = true
			if op.Type == history.OK {
				faults[i].From = op.Time
			} else {
				faults[i].Uncertain = true
			}
		}
	}
	return faults
}

// strikes reports whether the fault's target is the client, or a group that it belongs to: "c1 from n1", "waiters: c1,c2 by 3s".
func (f *Fault) strikes(client string) bool {
	target := f.Value
	if _, after, ok := strings.Cut(target, ": "); ok {
		target = after
	}
	target, _, _ = strings.Cut(target, " ")
	return slices.Contains(strings.Split(target, ","), client)
}

// participle says of somebody that the fault struck them.
func (f *Fault) participle() string {
	switch f.Name {
	case "pause":
		return "paused"
	case "partition":
		return "cut off"
	case history.Kill, "crash":
		return "killed"
	default:
		return "struck by " + f.Name
	}
}
