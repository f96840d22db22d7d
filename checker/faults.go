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
	// attempts is how many acquires were invoked while it lasted or, while it lasts, minus those before it.
	attempts int
}

// faults are the nemesis's faults so far.
type faults []*fault

// take pairs the nemesis's faults with their heals, line by line. A heal ends the oldest fault of its value that is not
// healed; if none is of its value, it ends all. before is how many acquires were invoked before the line.
func (all *faults) take(op *history.Op, before int) {
	switch {
	case op.F == history.Phase:
	case op.F == history.Heal:
		heal(*all, op, before)
	case op.Type == history.Invoke:
		f := &fault{name: op.F, value: op.Value, begin: op.Time, until: never, healed: never, attempts: -before}
		if op.F == history.Kill {
			f.value = op.Client
		}
		*all = append(*all, f)
	case op.Type == history.Info, op.Type == history.Fail:
		for _, f := range *all {
			if f.name == op.F && f.until == never && (f.value == op.Value || f.name == history.Kill && f.value == op.Client) {
				f.failed, f.err = true, op.Error
			}
		}
	}
}

// heal notes one line of a heal.
func heal(faults []*fault, op *history.Op, before int) {
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
		if f.until == never {
			f.until = op.Time
			f.attempts += before
		}
		if op.Type == history.OK {
			f.healed = op.Time
		}
	}
}
