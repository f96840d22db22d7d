package checker

import "github.com/lockbench/lockbench/internal/history"

// fault is one strike of the nemesis.
type fault struct {
	name, value string
	// begin is when it was about to strike, until when its heal began and healed when that was done; or never.
	begin, until, healed int64
	// failed is true if it is not certain that it struck.
	failed bool
	err    string
}

// findFaults pairs the nemesis's faults with their heals. A heal ends the oldest fault of its value that is not
// healed; if none is of its value, it ends all.
func findFaults(h *history.History) []*fault {
	var faults []*fault
	for _, i := range h.Nemesis {
		op := &h.Ops[i]
		switch {
		case op.F == history.Phase:
		case op.F == history.Heal:
			heal(faults, op)
		case op.Type == history.Invoke:
			f := &fault{name: op.F, value: op.Value, begin: op.Time, until: never, healed: never}
			if op.F == history.Kill {
				f.value = op.Client
			}
			faults = append(faults, f)
		case op.Type == history.Info, op.Type == history.Fail:
			for _, f := range faults {
				if f.name == op.F && f.until == never && (f.value == op.Value || f.name == history.Kill && f.value == op.Client) {
					f.failed, f.err = true, op.Error
				}
			}
		}
	}
	return faults
}

// heal notes one line of a heal.
func heal(faults []*fault, op *history.Op) {
	var unhealed, mine []*fault
	for _, f := range faults {
		if f.healed != never {
			continue
		}
		unhealed = append(unhealed, f)
		// The end of a heal goes to the fault that its begin went to.
		if f.value == op.Value && (f.until == never) == (op.Type == history.Invoke) {
			mine = append(mine, f)
		}
	}
	if len(mine) == 0 && op.Type != history.Invoke {
		for _, f := range unhealed { // a history may leave the begins of heals out
			if f.value == op.Value {
				mine = append(mine, f)
			}
		}
	}
	if len(mine) > 0 {
		unhealed = mine[:1]
	}
	for _, f := range unhealed {
		f.until = min(f.until, op.Time)
		if op.Type == history.OK {
			f.healed = op.Time
		}
	}
}

// lastHeal is when the last heal was done; ok is false if none was.
func (m *model) lastHeal() (at int64, ok bool) {
	for _, i := range m.history.Nemesis {
		if op := &m.history.Ops[i]; op.F == history.Heal && op.Type == history.OK {
			at, ok = op.Time, true // the nemesis's lines are in order
		}
	}
	return at, ok
}
