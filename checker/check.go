package checker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/history"
)

// passes is how often a history is read before everything of it is remembered.
const passes = 3

// Check judges a history. The definitions of what it counts are in docs/history.md. It takes O(n log n) for n lines.
// Lines of different processes may come in any order.
//
// Its error is a *history.LineError: the lines are not a well-formed history, which is never judged.
func Check(ops []history.Op, opt Options) (Result, error) {
	result, err := CheckFrom(func(feed func(*history.Op) error) error {
		for i := range ops {
			if err := feed(&ops[i]); err != nil {
				return err
			}
		}
		return nil
	}, opt)
	if !errors.Is(err, ErrOutOfOrder) {
		return result, err
	}
	if _, err := history.Parse(ops); err != nil { // sorting would hide that a process's own lines are not in order
		return Result{}, err
	}
	order := byTime(ops)
	return inPasses(newRetain(), func(s *Stream) error {
		for _, i := range order {
			if err := s.feed(history.Stamp{Time: ops[i].Time, Line: i + 1}, &ops[i]); err != nil {
				return err
			}
		}
		return nil
	}, opt)
}

// CheckFrom judges a history that is read line by line: read feeds all of its lines, in the order of their times (see
// Stream), and returns the error of feed or its own. It is called again if a line turns out to be about what was over long ago and
// so had been forgotten. Its errors are those of read and of Stream, without ErrForgotten.
func CheckFrom(read func(feed func(*history.Op) error) error, opt Options) (Result, error) {
	return inPasses(newRetain(), func(s *Stream) error { return read(s.Feed) }, opt)
}

func inPasses(r *retain, read func(*Stream) error, opt Options) (Result, error) {
	for pass := 1; ; pass++ {
		s := newStream(opt, r)
		err := read(s)
		var result Result
		if err == nil {
			result, err = s.Finish()
		}
		if !r.missing() || errors.Is(err, ErrOutOfOrder) {
			return result, err
		}
		r.missed, r.all = 0, pass+1 >= passes
	}
}

// byTime lists the indices of the lines in the order of their times. The resource's lines, whose order is their own, come where their
// times are.
func byTime(ops []history.Op) []int {
	var clients, resource, all []int
	for i := range ops {
		if t := ops[i].Type; t == history.Apply || t == history.Reject {
			resource = append(resource, i)
		} else {
			clients = append(clients, i)
		}
	}
	slices.SortStableFunc(clients, func(a, b int) int { return cmp.Compare(ops[a].Time, ops[b].Time) })
	for _, i := range clients {
		for len(resource) > 0 && ops[resource[0]].Time < ops[i].Time {
			all = append(all, resource[0])
			resource = resource[1:]
		}
		all = append(all, i)
	}
	return append(all, resource...)
}

// judge judges what was counted.
func (s *sweep) judge() Result {
	liveness := s.checkStuck() // which counts, too
	result := Result{
		Liveness:  liveness,
		Incidents: s.incidents.list(func(at history.Stamp) string { return seconds(at.Time - s.begin) }),
		Counts:    s.counts,
	}
	unknown := s.tooLittle()
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
