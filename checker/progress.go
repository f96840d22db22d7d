package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/checker/history"
)

// progress counts what happened around the faults.
type progress struct {
	// before is how many acquires were invoked before now, and over how many of those had ended, or their client.
	before, over int
	// early is how many were granted before the first fault, late how many after the last one was healed so far: at
	// healed.
	early, late int
	healed      int64
}

// settle counts the time now, which is over.
func (p *progress) settle(s *sweep) {
	p.before = s.counts.Attempts
	p.healed = s.faults.healed
	if len(s.faults.all) == 0 {
		p.early += len(s.tick.returned)
	}
	if s.now > p.healed {
		p.late += len(s.tick.returned)
	} else {
		p.late = 0
	}
}

// tooLittle says why the history proves nothing, or nothing if it does: a lock that nobody asks for breaks no promise.
// Grants are counted before the first fault and after the last heal, but only attempts in between: a lock that blocks
// during a partition is right to block.
func (s *sweep) tooLittle() string {
	grants := s.counts.Grants
	if grants == 0 {
		return "nothing was granted"
	}
	var reasons []string
	if (len(s.faults.all) == 0 || s.hosts) && grants < s.opt.MinGrants {
		reasons = append(reasons, fmt.Sprintf("only %s, %d are needed", amount(grants, "grant"), s.opt.MinGrants))
	}
	if len(s.faults.all) > 0 && !s.hosts { // else it takes a clock to see what was when
		reasons = append(reasons, s.aroundFaults(s.opt.MinGrants), s.underFaults(s.opt.MinAttempts))
	}
	return list(reasons...)
}

// aroundFaults says whether fewer than least grants returned before the first fault, or after the last heal.
func (s *sweep) aroundFaults(least int) string {
	if least <= 0 {
		return ""
	}
	var early, late, unhealed string
	for _, f := range s.faults.all {
		if f.healed == never && f.Name != history.Kill {
			unhealed = f.String() + " was not healed"
		}
	}
	if n := s.progress.early; n < least {
		early = fmt.Sprintf("only %s before the first fault, %d are needed", orNo(n, "grant"), least)
	}
	if n := s.progress.late; unhealed == "" && n < least {
		late = fmt.Sprintf("only %s after the last fault healed, %d are needed", orNo(n, "grant"), least)
	}
	return list(early, late, unhealed)
}

// underFaults says which faults may not have been injected, and during which fewer than least acquires were invoked.
func (s *sweep) underFaults(least int) string {
	var reasons []string
	for _, f := range s.faults.all {
		if f.Missed {
			reasons = append(reasons, list(f.String()+" was not injected", f.err))
			continue
		}
		if f.Uncertain {
			reasons = append(reasons, list(f.String()+" may not have been injected", f.err))
		}
		if f.Name == history.Kill && f.until == never {
			continue // it lasts no time
		}
		attempts := f.attempts
		if f.until == never {
			attempts += s.counts.Attempts
		}
		if attempts < least {
			reasons = append(reasons, fmt.Sprintf("only %s during %s, %d are needed", orNo(attempts, "attempt"), &f.Fault, least))
		}
	}
	return list(reasons...)
}

func orNo(n int, thing string) string {
	if n == 0 {
		return "0 " + thing + "s"
	}
	return amount(n, thing)
}
