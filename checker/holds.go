package checker

import (
	"slices"

	"github.com/lockbench/lockbench/internal/history"
)

// Hold is an acquire with the times that the verdicts go by. Times are the history's nanoseconds.
type Hold struct {
	*history.Grant
	// Answered is when the worker waited no longer: the acquire ended, or its client was killed. Of one that the history does
	// not see end it is the last time at which its client is known to have lived, and Unanswered is true.
	Answered   int64
	Unanswered bool
	// Held is true if the acquire was granted to a living client. Its hold then runs from Answered to End: the call of
	// release, abandon or the death of the client, whichever was first.
	Held bool
	End  int64
}

// Holds lists every acquire of a history, granted or not, in the order of their invokes.
func Holds(h *history.History) []Hold {
	deaths := findDeaths(h)
	all := make([]Hold, 0, len(h.Grants))
	for _, hg := range h.Grants {
		died := deaths[hg.Process]
		hold := Hold{Grant: hg, Answered: min(hg.Return.Time, died.killed)}
		if !hg.Return.Exists() {
			hold.Answered, hold.Unanswered = died.killed, died.killed == never
		}
		if hold.Unanswered {
			hold.Answered = died.last
		}
		if g := (grant{Grant: hg, killed: died.killed}); hg.Outcome == history.OK && g.held() {
			hold.Held, hold.End = true, g.holdEnd(died.last)
		}
		all = append(all, hold)
	}
	return slices.Clip(all)
}
