package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
)

// shownIncidents is how many incidents are told in words unless all were asked for.
const shownIncidents = 20

// printFile prints what was found in a history: counts, verdicts, incidents.
func printFile(w io.Writer, t *results.TestVerdict, explained bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", report.Printable(t.Test))
	counts(&b, &t.Result.Counts)
	fmt.Fprintln(&b)
	for _, v := range []struct {
		name string
		j    checker.Judgement
	}{{"exclusion", t.Result.Exclusion}, {"data", t.Result.Data}, {"liveness", t.Result.Liveness}} {
		line := fmt.Sprintf("%-10s %s", v.name, v.j.Verdict)
		if v.j.Reason != "" {
			line += ": " + report.Printable(v.j.Reason)
		}
		fmt.Fprintln(&b, line)
	}
	if n := len(t.Result.Incidents); n > 0 {
		fmt.Fprintf(&b, "\nincidents  %d\n", n)
	}
	incidents(&b, t.Explanations, explained)
	if more := len(t.Result.Incidents) - len(t.Explanations); more > 0 {
		fmt.Fprintf(&b, "      and %d more; --explain tells them all\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printExplained prints the incidents of one test of a run.
func printExplained(w io.Writer, t *results.TestVerdict) error {
	if len(t.Explanations) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: incidents  %d\n", t.Test, len(t.Result.Incidents))
	incidents(&b, t.Explanations, true)
	_, err := io.WriteString(w, b.String())
	return err
}

// incidents writes one incident a line and, if they were asked for, the lines of the history that show it.
func incidents(w io.Writer, all []explain.Explanation, withLines bool) {
	for _, e := range all {
		fmt.Fprintf(w, "%4d. %s\n", e.Number, report.Printable(e.Text)) // it has names of clients, locks and faults in it
		if withLines && len(e.Lines) > 0 {
			fmt.Fprintf(w, "      lines %s\n", ranges(e.Lines))
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

func counts(w io.Writer, c *checker.Counts) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
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
	} {
		t.AppendRow(table.Row{row.name, row.n, row.unit})
	}
	t.Render()
}
