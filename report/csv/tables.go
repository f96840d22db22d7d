package csv

import (
	"strconv"

	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// tables are the columns of the tables beside the comparison. They are there in every run, so that files of several can
// be put together, and NA in those without the table.
func tables() []column {
	var all []column
	contention := func(name string, of func(*measure.Contention) string) {
		all = append(all, column{name, func(r *report.Row) string {
			if r.Contention.Workers == 0 {
				return notAvailable
			}
			return of(&r.Contention)
		}})
	}
	contention("contention_workers", func(c *measure.Contention) string { return strconv.Itoa(c.Workers) })
	contention("contention_grants", func(c *measure.Contention) string { return strconv.Itoa(c.Grants) })
	contention("contention_not_granted", func(c *measure.Contention) string { return strconv.Itoa(c.NotGranted) })
	contention("share_luckiest", func(c *measure.Contention) string { return fraction(c.Luckiest) })
	contention("share_unluckiest", func(c *measure.Contention) string { return fraction(c.Unluckiest) })
	contention("no_holder_share", func(c *measure.Contention) string { return fraction(c.IdleShare()) })
	contention("no_holder_max_us", func(c *measure.Contention) string { return measure.Span{D: c.LongestIdle, Measured: true}.Micros() })
	deadlocks := func(name string, of func(*measure.Deadlocks) string) {
		all = append(all, column{name, func(r *report.Row) string {
			if !r.Deadlocks.Measured {
				return notAvailable
			}
			return of(&r.Deadlocks)
		}})
	}
	deadlocks("deadlocks", func(d *measure.Deadlocks) string { return strconv.Itoa(d.Count) })
	deadlocks("deadlocks_server", func(d *measure.Deadlocks) string { return strconv.Itoa(d.Server) })
	deadlocks("deadlocks_timeout", func(d *measure.Deadlocks) string { return strconv.Itoa(d.TimedOut) })
	deadlocks("deadlocks_other", func(d *measure.Deadlocks) string { return strconv.Itoa(d.Otherwise) })
	deadlocks("deadlocks_open", func(d *measure.Deadlocks) string { return strconv.Itoa(d.Open) })
	deadlocks("deadlock_p50_us", func(d *measure.Deadlocks) string { return d.Lasted.Quantile(0.5).Micros() })
	deadlocks("deadlock_max_us", func(d *measure.Deadlocks) string { return d.Lasted.Max().Micros() })
	clocks := func(name string, of func(used, lost int) int) {
		all = append(all, column{name, func(r *report.Row) string {
			if len(r.Clocks.Phases) == 0 {
				return notAvailable
			}
			return strconv.Itoa(of(r.Clocks.Total()))
		}})
	}
	clocks("clocks_locks_used", func(used, _ int) int { return used })
	clocks("clocks_locks_lost", func(_, lost int) int { return lost })
	return append(all,
		column{"no_leader_max_us", func(r *report.Row) string { return r.Leadership.Nobody.Micros() }},
		column{"two_leaders_max_us", func(r *report.Row) string { return r.Leadership.Both.Micros() }},
		column{"next_leader_max_us", func(r *report.Row) string { return r.Leadership.Slowest().Micros() }},
	)
}

func fraction(part float64) string { return strconv.FormatFloat(part, 'f', 6, 64) }
