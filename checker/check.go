package checker

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/internal/history"
)

// Checker looks for one kind of violation.
type Checker interface {
	// Name is its row of Counts, as Incident.Kinds and files have it.
	Name() string
	// check counts and reports what it finds with one lock.
	check(l *lock, f *findings)
}

// Checkers lists the checkers of violations, in the order in which their findings are told.
func Checkers() []Checker {
	return []Checker{overlap{}, interleaved{}, tokenRegression{}, staleWrite{}, lostUpdate{}}
}

// Check judges a history. The definitions of what it counts are in docs/history.md. It takes O(n log n) for n lines.
// Lines of different processes may come in any order.
//
// Its error is a *history.LineError: the lines are not a well-formed history, which is never judged.
func Check(ops []history.Op, opt Options) (Result, error) {
	h, err := history.Parse(ops)
	if err != nil {
		return Result{}, err
	}
	m := newModel(h)
	f := newFindings(m)
	for _, l := range m.locks {
		for _, c := range Checkers() {
			c.check(l, f)
		}
		checkFence(l, f)
	}
	f.countOps(h)
	result := Result{Liveness: checkStuck(m, opt, f), Incidents: f.incidents(), Counts: f.counts}
	unknown := tooLittle(m, opt)
	result.Exclusion = exclusion(&f.counts, unknown)
	result.Data = data(m, &f.counts, unknown, opt)
	return result, nil
}

// countOps counts what is no violation.
func (f *findings) countOps(h *history.History) {
	f.counts.Attempts = len(h.Grants)
	for _, g := range h.Grants {
		switch g.Outcome {
		case history.OK:
			f.counts.Grants++
		case history.Fail:
		default:
			f.counts.Ambiguous++
		}
		for _, r := range g.Requests {
			if r.Outcome != history.OK && r.Outcome != history.Fail {
				f.counts.Ambiguous++
			}
		}
	}
	for _, r := range h.Sequenced {
		if r.F == history.Write && !r.Rejected {
			f.counts.Writes++
		}
	}
}

func exclusion(c *Counts, unknown string) Judgement {
	violations := list(amount(c.Overlap, "overlap"), amount(c.Interleaved, "interleaved pair"), amount(c.TokenRegression, "token regression"))
	switch {
	case violations != "":
		return Judgement{Invalid, violations}
	case unknown != "":
		return Judgement{Unknown, unknown}
	default:
		return Judgement{Verdict: Valid}
	}
}

func data(m *model, c *Counts, unknown string, opt Options) Judgement {
	stale := amount(c.StaleWrite, "stale write")
	if c.StaleDelayed > 0 {
		stale += fmt.Sprintf(" (%d delayed)", c.StaleDelayed)
	}
	violations := list(stale, amount(c.LostUpdate, "lost update"))
	var broken string
	if c.BrokenFence > 0 {
		broken = amount(c.BrokenFence, "request") + " refused although no later grant explains it: the fence, or the tokens, are broken"
	}
	switch {
	case violations != "":
		return Judgement{Invalid, list(violations, broken)}
	case m.fenced(opt) && c.Grants > 0 && !m.tokens():
		return Judgement{NotApplicable, "cannot be fenced: the lock has no token"}
	case broken != "" || unknown != "":
		return Judgement{Unknown, list(broken, unknown)}
	case c.Writes == 0:
		return Judgement{Unknown, "nothing was written"}
	default:
		return Judgement{Verdict: Valid}
	}
}

// fenced reports whether the resource checked tokens: it was said to, or it refused a request.
func (m *model) fenced(opt Options) bool {
	if opt.Fenced {
		return true
	}
	for _, r := range m.history.Sequenced {
		if r.Rejected {
			return true
		}
	}
	return false
}

// tokens reports whether any grant has a token.
func (m *model) tokens() bool {
	for _, g := range m.grants {
		if g != nil && g.Token.Set {
			return true
		}
	}
	return false
}

// amount is n things in words, empty if there are none.
func amount(n int, thing string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + thing
	default:
		return fmt.Sprintf("%d %ss", n, thing)
	}
}

// list joins those that are not empty.
func list(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, ", ")
}
