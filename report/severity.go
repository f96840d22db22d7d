package report

import (
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// Severity is how bad the violations of some tests were. Times with two holders are summed over tests; the others are
// the longest, or the worst, of any test.
type Severity struct {
	// Overlaps is how many grants began while a rival held the lock, Brief how many of these overlaps lasted for
	// checker.BriefOverlap at the most.
	Overlaps, Brief int
	// Both is for how long in all there were two holders, Longest the longest such time.
	Both, Longest time.Duration
	// Stale and LostUpdates count writes.
	Stale, LostUpdates int
	// Told is how many holders were told that the lock is lost, of those after whom a rival was granted it, Late how
	// many of them after that grant. Margin is the worst: from being told to that grant; below 0, it was late.
	Told, Late int
	Margin     time.Duration
}

// SeverityOf merges what the judged tests that pass say.
func (r *Row) SeverityOf(pass func(*TestRow) bool) Severity {
	var s Severity
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Result != nil && pass(t) {
			s.add(&t.Result.Counts)
		}
	}
	return s
}

func (s *Severity) add(c *checker.Counts) {
	s.Overlaps, s.Brief = s.Overlaps+c.Overlap, s.Brief+c.OverlapBrief
	s.Both += time.Duration(c.OverlapTime)
	s.Longest = max(s.Longest, time.Duration(c.LongestOverlap))
	s.Stale, s.LostUpdates = s.Stale+c.StaleWrite, s.LostUpdates+c.LostUpdate
	if c.Told > 0 && (s.Told == 0 || time.Duration(c.WorstMargin) < s.Margin) {
		s.Margin = time.Duration(c.WorstMargin)
	}
	s.Told, s.Late = s.Told+c.Told, s.Late+c.ToldLate
}

// Timed reports whether it is known how long the overlaps lasted. Verdicts of older builds do not say.
func (s Severity) Timed() bool { return s.Both > 0 || s.Brief > 0 }

// OnlyBrief reports whether there were overlaps, and none that the scheduler could not have made.
func (s Severity) OnlyBrief() bool { return s.Overlaps > 0 && s.Brief == s.Overlaps }

var severityTable = Table{
	ID: results.Severity, Title: "How bad",
	About: "Two holders: how many grants began while a rival held the lock, the longest time with two holders, and all such " +
		"time, summed over the tests. Brief: overlaps of 1 ms or less; a scheduler may have made them, but they count. Data: " +
		"writes, in the tests without a fence. Told: who tells a holder that the lock is lost, and in the worst case how long " +
		"before the rival's grant (+) or after it (−).",
	Columns: []string{"Two holders, heeding", "Two holders, ignoring", "Data, unfenced", "Told of the loss"},
}

// harmed reports whether there is anything to tell of the row.
func (r *Row) harmed() bool {
	s := r.SeverityOf(AnyTest)
	return s.Overlaps+s.Stale+s.LostUpdates+s.Told > 0
}

func (r *Row) severityCells() ([]Cell, string) {
	if !r.judged() {
		return nil, r.Driver.Reason
	}
	data := r.SeverityOf(Unfenced)
	var harm Cell
	for _, h := range []struct {
		n    int
		noun string
	}{{data.Stale, "stale write"}, {data.LostUpdates, "lost update"}} {
		if h.n > 0 {
			harm = append(harm, CellLine{Value: Things{h.n, h.noun}})
		}
	}
	if harm == nil {
		harm = CellOf(Words("none"))
	}
	return []Cell{overlapCell(r.SeverityOf(Heeding)), overlapCell(r.SeverityOf(Ignoring)), harm, r.toldCell()}, ""
}

func overlapCell(s Severity) Cell {
	if s.Overlaps == 0 {
		return CellOf(Words("never"))
	}
	c := Cell{{Value: Things{s.Overlaps, "grant"}}}
	if s.Timed() {
		c = append(c, CellLine{Label: "longest", Value: measure.SpanOf(int64(s.Longest))}, CellLine{Label: "in all", Value: measure.SpanOf(int64(s.Both))})
	}
	if s.Brief > 0 {
		c = append(c, CellLine{Label: "brief", Value: Part{s.Brief, s.Overlaps}})
	}
	return c
}

func (r *Row) toldCell() Cell {
	var c Cell
	if r.Driver.LossBy != "" { // older builds do not say
		c = CellOf(Words("by " + r.Driver.LossBy))
	}
	s := r.SeverityOf(AnyTest)
	if s.Told == 0 {
		return append(c, CellLine{Value: Words("nobody was told")})
	}
	c = append(c, CellLine{Label: "worst", Value: Words(signed(s.Margin))})
	return append(c, CellLine{Label: "late", Value: Part{s.Late, s.Told}})
}

// signed writes a time with its sign: + before the rival's grant, − after it.
func signed(d time.Duration) string {
	if d < 0 {
		return "−" + units.Duration(-d)
	}
	return "+" + units.Duration(d)
}

// severityWords says how bad the exclusion's breach was: "72 grants overlapped a rival's, the longest for 1.20 s".
func severityWords(s Severity) string {
	if s.Overlaps == 0 {
		return ""
	}
	text := units.Plural(s.Overlaps, "grant") + " overlapped a rival's"
	if !s.Timed() {
		return text
	}
	text += ": " + units.Duration(s.Longest) + " at the longest, " + units.Duration(s.Both) + " in all"
	switch {
	case s.OnlyBrief():
		text += "; each for 1 ms or less"
	case s.Brief > 0:
		text += "; " + Part{s.Brief, s.Overlaps}.String() + " for 1 ms or less"
	}
	return text
}
