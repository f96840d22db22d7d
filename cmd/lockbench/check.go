package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/judge"
	"github.com/lockbench/lockbench/report"
)

func newCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check PATH", Short: "Judge a saved run, or a history of any origin",
		Long: `Judges the histories of a saved run again and rewrites its verdicts, or judges one history file.

A history is JSON Lines; docs/history.md describes every field, so that any program can write one. One that is cut
off or whose lines do not fit together is refused with the line's number and exit code 2: it is never judged.`,
		Example: `  lockbench check results/20261123T060000Z-partition
  lockbench check examples/history.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error { return usage(cobra.ExactArgs(1)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			st, err := os.Stat(args[0])
			if err != nil {
				return usage(fmt.Errorf("check: %w", err))
			}
			if !st.IsDir() {
				return checkFile(cmd.OutOrStdout(), args[0])
			}
			if err := judge.Run(args[0]); err != nil {
				return badInput(err)
			}
			m, err := report.Build(args[0])
			if err != nil {
				return badInput(err)
			}
			if err := report.Render(cmd.OutOrStdout(), report.Text, m, report.Options{Color: wantsColor(cmd.OutOrStdout())}); err != nil {
				return err
			}
			return outcome(m)
		},
	}
}

// badInput tells errors of what was given from errors of the program.
func badInput(err error) error {
	var line *history.LineError
	if errors.As(err, &line) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, judge.ErrNotARun) {
		return usage(err)
	}
	return err
}

func checkFile(w io.Writer, path string) error {
	r, err := judge.File(path, checker.Options{})
	if err != nil {
		return badInput(err)
	}
	if err := printResult(w, path, r); err != nil {
		return err
	}
	switch max(r.Exclusion.Verdict, r.Data.Verdict, r.Liveness.Verdict) {
	case checker.Invalid:
		return exitError{code: exitViolation}
	case checker.Unknown:
		return exitError{code: exitUnknown}
	default:
		return nil
	}
}

// shownIncidents is how many incidents are told in words.
const shownIncidents = 20

func printResult(w io.Writer, path string, r checker.Result) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	c := r.Counts
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
	if _, err := fmt.Fprintf(w, "%s\n\n", path); err != nil {
		return err
	}
	t.Render()
	fmt.Fprintln(w)
	for _, v := range []struct {
		name string
		j    checker.Judgement
	}{{"exclusion", r.Exclusion}, {"data", r.Data}, {"liveness", r.Liveness}} {
		line := fmt.Sprintf("%-10s %s", v.name, v.j.Verdict)
		if v.j.Reason != "" {
			line += ": " + v.j.Reason
		}
		fmt.Fprintln(w, line)
	}
	if len(r.Incidents) > 0 {
		fmt.Fprintf(w, "\nincidents  %d\n", len(r.Incidents))
	}
	for i, in := range r.Incidents[:min(len(r.Incidents), shownIncidents)] {
		fmt.Fprintf(w, "%4d. %s\n", i+1, in.Explanation)
	}
	if more := len(r.Incidents) - shownIncidents; more > 0 {
		fmt.Fprintf(w, "      and %d more\n", more)
	}
	return nil
}
