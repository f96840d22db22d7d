package checker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/checker/history"
)

// passes is in how many passes over a history something was missed before everything of it is remembered.
const passes = 2

// Check judges a history. The definitions of what it counts are in docs/history.md. It takes O(n log n) for n lines.
// Lines of different processes may come in any order.
//
// Its error is a *history.LineError: the lines are not a well-formed history, which is never judged.
func Check(ops []history.Op, opt Options) (Result, error) {
	return CheckFrom(func(feed func(*history.Op) error) error {
		for i := range ops {
			if err := feed(&ops[i]); err != nil {
				return err
			}
		}
		return nil
	}, opt)
}

// CheckFrom judges a history that is read line by line: read feeds all of its lines and returns the error of feed, or
// its own. It is called again if the lines are not in the order of their times, or one turns out to be about what was
// over long ago and so had been forgotten. Its errors are those of read, and *history.LineError.
func CheckFrom(read func(feed func(*history.Op) error) error, opt Options) (Result, error) {
	return inPasses(newRetain(), read, opt)
}

func inPasses(r *retain, read func(feed func(*history.Op) error) error, opt Options) (Result, error) {
	return inSizes(windows(), r, read, opt)
}

// inSizes judges with windows of the sizes, one after the other, until one is large enough.
func inSizes(sizes []int, r *retain, read func(feed func(*history.Op) error) error, opt Options) (Result, error) {
	for missed := 0; ; {
		s := newStream(opt, r, sizes[0])
		err := read(s.Feed)
		var result Result
		if err == nil {
			result, err = s.Finish()
		}
		switch {
		case errors.Is(err, ErrOutOfOrder) && len(sizes) > 1:
			sizes = sizes[1:]
		case errors.Is(err, ErrOutOfOrder):
			return Result{}, &history.LineError{Line: s.lines, Err: fmt.Errorf("%w, by more than %d lines: sort them", err, sizes[0])}
		case r.missing():
			missed++
			r.all = missed >= passes
		default:
			return result, err
		}
		r.missed = 0
	}
}

// judge judges what was counted.
func (s *sweep) judge() Result {
	s.faults.finish()
	liveness := worse(s.checkStuck(), s.shares.judge(s.opt.Share)) // which counts, too
	result := Result{
		Liveness:  liveness,
		Incidents: s.incidents.list(),
		Counts:    s.counts,
		Faults:    s.faults.list(),
		Outside:   s.outside.list(),
		Stalls:    s.outside.stalls,
	}
	if s.begin != never {
		result.Begin = s.begin
	}
	spoilt := s.outside.spoilt(s.begin, s.opt.MaxStall)
	unknown := list(s.tooLittle(), spoilt)
	if spoilt != "" && result.Liveness.Verdict == Valid {
		result.Liveness = Judgement{Unknown, spoilt}
	}
	result.Exclusion = exclusion(&s.counts, unknown)
	result.Data = s.data(unknown)
	if s.hosts {
		s.limit(&result)
	}
	return result
}

// limit says how a history of several hosts was judged.
func (s *sweep) limit(r *Result) {
	if r.Exclusion.Verdict == Valid && !s.tokens && !s.used {
		r.Exclusion = Judgement{Unknown, "there are neither tokens nor requests to judge by"}
	}
	if r.Data.Verdict == Valid && !s.tokens {
		r.Data.Reason = "without tokens, stale writes are not applicable"
	}
	r.Exclusion.Reason = list(r.Exclusion.Reason, "several hosts share no clock: judged by the resource's order and by tokens alone, overlap is not applicable")
	r.Data.Reason = list(r.Data.Reason, "several hosts share no clock: judged by the resource's order and by tokens alone")
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

func (s *sweep) data(unknown string) Judgement {
	c := &s.counts
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
	// The resource checked tokens: it was said to, or it refused a request.
	case (s.opt.Fenced || s.rejected) && c.Grants > 0 && !s.tokens:
		return Judgement{NotApplicable, "cannot be fenced: the lock has no token"}
	case s.opt.DataOptional && c.Grants > 0 && !s.requested:
		return Judgement{NotApplicable, "there is no request"}
	case broken != "" || unknown != "":
		return Judgement{Unknown, list(broken, unknown)}
	case c.Writes == 0:
		return Judgement{Unknown, "nothing was written"}
	default:
		return Judgement{Verdict: Valid}
	}
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
