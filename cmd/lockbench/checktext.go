package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/text"
)

// shownIncidents is how many incidents are told in words unless all were asked for.
const shownIncidents = 20

// printFile prints what was found in a history: counts, verdicts, incidents.
func printFile(w io.Writer, t *results.TestVerdict, explained bool, opt report.Options) error {
	var b strings.Builder
	width := opt.Width
	fmt.Fprintf(&b, "%s\n\n%s\n", report.Printable(t.Test), counts(&t.Result.Counts, width))
	for _, v := range []struct {
		name string
		j    checker.Judgement
	}{{"exclusion", t.Result.Exclusion}, {"data", t.Result.Data}, {"liveness", t.Result.Liveness}} {
		said := v.j.Verdict.String()
		line := text.Paint(opt.Color, report.State(said), said)
		if v.j.Reason != "" {
			line += ": " + report.Printable(v.j.Reason)
		}
		fmt.Fprintln(&b, strings.Join(lines.Hang(line, width, fmt.Sprintf("%-10s ", v.name), "           "), "\n"))
	}
	if n := len(t.Result.Incidents); n > 0 {
		fmt.Fprintf(&b, "\n%s\n", units.Plural(n, "incident"))
	}
	incidents(&b, t.Explanations, explained, width)
	if more := len(t.Result.Incidents) - len(t.Explanations); more > 0 {
		fmt.Fprintf(&b, "      and %d more; --explain tells them all\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printExplained prints the incidents of one test of a run.
func printExplained(w io.Writer, t *results.TestVerdict, width int) error {
	if len(t.Explanations) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s\n", report.Printable(t.Test), units.Plural(len(t.Result.Incidents), "incident"))
	incidents(&b, t.Explanations, true, width)
	_, err := io.WriteString(w, b.String())
	return err
}

// incidents writes one incident a line and, if they were asked for, the lines of the history that show it.
func incidents(w io.Writer, all []explain.Explanation, withLines bool, width int) {
	for _, e := range all {
		said := report.Printable(e.Text) // it has names of clients, locks and faults in it
		fmt.Fprintln(w, strings.Join(lines.Hang(said, width, fmt.Sprintf("%4d. ", e.Number), "      "), "\n"))
		if withLines && len(e.Lines) > 0 {
			fmt.Fprintln(w, strings.Join(lines.Hang("lines "+ranges(e.Lines), width, "      ", "        "), "\n"))
		}
	}
}

// ranges writes rising numbers as "1-3, 7".
func ranges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i + 1
		for j < len(numbers) && numbers[j] == numbers[j-1]+1 {
			j++
		}
		part := strconv.Itoa(numbers[i])
		if j > i+1 {
			part += "-" + strconv.Itoa(numbers[j-1])
		}
		parts = append(parts, part)
		i = j
	}
	return strings.Join(parts, ", ")
}

// lossCost says what needless losses cost.
func lossCost(c *checker.Counts) string {
	said := "holders; no violation"
	if c.LossCost > 0 {
		said += "; the locks were then granted to nobody for " + units.Duration(time.Duration(c.LossCost))
	}
	return said
}

// counts is what was counted, a line each.
func counts(c *checker.Counts, width int) string {
	digits := len(strconv.Itoa(max(c.Attempts, c.Grants, c.Writes)))
	var all []lines.Entry
	for _, row := range []struct {
		name string
		n    int
		unit string
	}{
		{"acquires attempted", c.Attempts, ""}, {"grants", c.Grants, ""}, {"writes applied", c.Writes, ""},
		{"ambiguous", c.Ambiguous, "calls whose outcome nobody knows"},
		{"overlap", c.Overlap, "grants"}, {"interleaved", c.Interleaved, "pairs of grants"},
		{"token regression", c.TokenRegression, "grants"},
		{"stale write", c.StaleWrite, fmt.Sprintf("writes, %d of them merely delayed", c.StaleDelayed)},
		{"lost update", c.LostUpdate, "writes"}, {"fenced off", c.FencedOff, "requests; no violation"},
		{"broken fence", c.BrokenFence, "requests refused without cause"}, {"stuck lock", c.StuckLock, "locks"},
		{"needless loss", c.NeedlessLoss, lossCost(c)}, {"released unheld", c.ReleasedUnheld, "releases that were refused; no violation"},
	} {
		n := fmt.Sprintf("%*d", digits, row.n)
		all = append(all, lines.Entry{Label: row.name, Lines: []string{strings.TrimRight(n+" "+row.unit, " ")}})
	}
	return lines.Beside(all, width)
}
