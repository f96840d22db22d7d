package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/internal/history"
)

// tooLittle says why the history proves nothing, or nothing if it does: a lock that nobody asks for breaks no promise.
// Grants are counted before the first fault and after the last heal, but only attempts in between: a lock that blocks
// during a partition is right to block.
func tooLittle(m *model, opt Options) string {
	grants := 0
	for _, l := range m.locks {
		grants += len(l.grants)
	}
	if grants == 0 {
		return "nothing was granted"
	}
	var reasons []string
	if len(m.faults) == 0 && grants < opt.MinGrants {
		reasons = append(reasons, fmt.Sprintf("only %s, %d are needed", amount(grants, "grant"), opt.MinGrants))
	}
	if len(m.faults) > 0 {
		reasons = append(reasons, m.aroundFaults(opt.MinGrants), m.underFaults(opt.MinAttempts))
	}
	return list(reasons...)
}

// aroundFaults says whether fewer than least grants returned before the first fault, or after the last heal.
func (m *model) aroundFaults(least int) string {
	if least <= 0 {
		return ""
	}
	// A kill needs no heal: what it did is done.
	first, last := int64(never), int64(0)
	var unhealed string
	for _, f := range m.faults {
		first = min(first, f.begin)
		switch {
		case f.healed != never:
			last = max(last, f.healed)
		case f.name == history.Kill:
			last = max(last, f.begin)
		default:
			unhealed = f.String() + " was not healed"
		}
	}
	before, after := 0, 0
	for _, l := range m.locks {
		for _, g := range l.grants {
			if g.Return.Time < first {
				before++
			}
			if g.Return.Time > last {
				after++
			}
		}
	}
	var early, late string
	if before < least {
		early = fmt.Sprintf("only %s before the first fault, %d are needed", orNo(before, "grant"), least)
	}
	if unhealed == "" && after < least {
		late = fmt.Sprintf("only %s after the last fault healed, %d are needed", orNo(after, "grant"), least)
	}
	return list(early, late, unhealed)
}

// underFaults says which faults may not have struck, and during which fewer than least acquires were invoked.
func (m *model) underFaults(least int) string {
	var reasons []string
	for _, f := range m.faults {
		if f.failed {
			reasons = append(reasons, list(f.String()+" may not have struck", f.err))
		}
		if f.name == history.Kill && f.until == never {
			continue // it lasts no time
		}
		attempts := 0
		for _, g := range m.history.Grants {
			if g.Invoke.Time >= f.begin && g.Invoke.Time < f.until {
				attempts++
			}
		}
		if attempts < least {
			reasons = append(reasons, fmt.Sprintf("only %s during %s, %d are needed", orNo(attempts, "attempt"), f, least))
		}
	}
	return list(reasons...)
}

// String names the fault in a sentence.
func (f *fault) String() string {
	if f.value == "" {
		return f.name
	}
	return fmt.Sprintf("%s (%s)", f.name, f.value)
}

func orNo(n int, thing string) string {
	if n == 0 {
		return "0 " + thing + "s"
	}
	return amount(n, thing)
}
