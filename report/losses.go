package report

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// costly is which part of the TTL a needless loss must cost on average to be told: a holder that is told in time lets
// go a moment before the next one is granted the lock.
const costly = 10

// saysNeedless tells losses that nobody gained from.
func (r *Row) saysNeedless(run *results.Run) []said {
	lost, cost := 0, time.Duration(0)
	for _, t := range r.Tests {
		if t.Result != nil {
			lost, cost = lost+t.Result.Counts.NeedlessLoss, cost+time.Duration(t.Result.Counts.LossCost)
		}
	}
	if lost == 0 || cost <= time.Duration(lost)*run.Workload.TTL/costly {
		return nil
	}
	who := fmt.Sprintf("%s (%s, then free for %s)", r.Driver.Title, units.Plural(lost, "time"), units.Duration(cost))
	return []said{{who, sentence{after: " told a holder that the lock is lost, although nobody else had been granted it."}}}
}

// saysUnheld tells releases that were refused.
func (r *Row) saysUnheld() []said {
	n, _ := r.Count(AnyTest, func(t *TestRow) int { return t.Result.Counts.ReleasedUnheld })
	if n == 0 {
		return nil
	}
	return []said{{fmt.Sprintf("%s (%d)", r.Driver.Title, n), sentence{after: " refused releases: the lock was no longer held."}}}
}
