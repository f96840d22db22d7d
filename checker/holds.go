package checker

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/checker/history"
)

// Hold is an acquire with the times that the verdicts go by. Times are the history's nanoseconds.
type Hold struct {
	*history.Grant
	// Answered is when the worker waited no longer: the acquire ended, or its client was killed. Of one that the
	// history does not see end it is the last time at which its client is known to have lived, and Unanswered is
	// true.
	Answered   int64
	Unanswered bool
	// Held is true if the acquire was granted to a living client. Its hold then runs from Answered to End: the call of
	// release, abandon or the death of the client, whichever was first.
	Held bool
	End  int64
}

// Holds lists every acquire of a history, granted or not, in the order of their invokes.
func Holds(h *history.History) []Hold {
	processes := findLives(h).processes
	all := make([]Hold, 0, len(h.Grants))
	for _, hg := range h.Grants {
		g := grant{Grant: hg, process: processes[hg.Process.Index]}
		killed := g.process.killed
		hold := Hold{Grant: hg, Answered: min(hg.Return.Time, killed)}
		if !hg.Return.Exists() {
			hold.Answered, hold.Unanswered = killed, killed == never
		}
		if hold.Unanswered {
			hold.Answered = g.process.last()
		}
		if hg.Outcome == history.OK && g.held() {
			hold.Held, hold.End = true, g.knownEnd()
		}
		all = append(all, hold)
	}
	return slices.Clip(all)
}

// findLives tells lives the first and last line of each process, and the kills.
func findLives(h *history.History) *lives {
	type event struct {
		at      int64
		process *history.Process
		victim  string
	}
	var events []event
	for _, p := range h.Processes {
		events = append(events, event{at: p.First.Time, process: p}, event{at: p.Last.Time, process: p})
	}
	for _, i := range h.Nemesis {
		if op := &h.Ops[i]; op.F == history.Kill && op.Type == history.Invoke {
			events = append(events, event{at: op.Time, victim: op.Client})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	ls := newLives()
	for _, e := range events {
		if e.process != nil {
			ls.line(e.process, e.at)
		} else {
			ls.kill(e.victim, e.at)
		}
	}
	return ls
}
