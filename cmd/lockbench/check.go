package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/judge"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
)

func newCheckCommand() *cobra.Command {
	var format string
	var explained bool
	cmd := &cobra.Command{
		Use: "check PATH", Short: "Judge a saved run, or a history of any origin",
		Long: `Judges the histories of a saved run again and rewrites its verdicts, or judges one history file.

A history is JSON Lines; docs/history.md describes every field, so that any program can write one. One that is cut
off or whose lines do not fit together is refused with the line's number and exit code 2: it is never judged.

--explain tells each incident: who held the lock, which faults were in force, how long it lasted, what it did to the data,
and which lines of the history show it (docs/explain.md).`,
		Example: `  lockbench check results/20261123T060000Z-partition
  lockbench check results/20261123T060000Z-partition --explain
  lockbench check examples/history.jsonl --explain --format json`,
		Args: wants(1, 1, "the directory of one run, or one history file", "results/<run>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if names := checkFormats(); !slices.Contains(names, format) {
				return usage(errors.New(nearest.Unknown("format", format, names)))
			}
			return check(cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0], format == "json", explained)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().BoolVar(&explained, "explain", false, "tell every incident, not only the first ones")
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return checkFormats(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func checkFormats() []string { return []string{"text", "json"} }

// check judges a run or a history, prints what was found, and says how it ended. notes is where what does not belong into JSON
// is told.
func check(w, notes io.Writer, path string, asJSON, explained bool) error {
	st, err := os.Stat(path)
	if err != nil {
		return usage(orNewest(path, fmt.Errorf("check: %w", err)))
	}
	if st.IsDir() {
		return checkRun(w, notes, path, asJSON, explained)
	}
	if err := needRegular(path, st); err != nil {
		return usage(err)
	}
	return checkFile(w, path, asJSON, explained)
}

// needRegular says why a history cannot be read from there: it is read more than once.
func needRegular(path string, st os.FileInfo) error {
	if st.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s is not a regular file: a history is read several times, so save it to one", path)
}

// checkRun judges a run again and rewrites its verdicts.
func checkRun(w, notes io.Writer, path string, asJSON, explained bool) error {
	if err := results.Dir(path).Idle(); err != nil {
		return usage(err)
	}
	if err := judge.Run(path); err != nil {
		return badInput(err)
	}
	m, err := report.Build(path)
	if err != nil {
		return usage(err)
	}
	saved, err := results.Load(path)
	if err != nil {
		return usage(err)
	}
	tests := saved.Verdicts.Tests
	if err := explainAll(saved.Dir, tests, explained); err != nil {
		return usage(err)
	}
	if asJSON {
		err = errors.Join(tellNotes(notes, saved.Run.Tests), writeJSON(w, tests))
	} else {
		err = report.Render(w, report.Text, m, report.Options{Color: wantsColor(w)})
		for i := 0; err == nil && explained && i < len(tests); i++ {
			err = printExplained(w, &tests[i])
		}
	}
	if err != nil {
		return err
	}
	return outcome(m)
}

// explainAll leaves the tests with the explanations of all incidents or, if they were not asked for, with none.
func explainAll(dir results.Dir, tests []results.TestVerdict, explained bool) (err error) {
	for i := range tests {
		t := &tests[i]
		switch {
		case !explained:
			t.Explanations, t.Unexplained = nil, 0
		case t.Unexplained > 0:
			if t.Explanations, err = judge.Explain(dir.History(t.Test), &t.Result, math.MaxInt); err != nil {
				return err
			}
			t.Unexplained = 0
		}
	}
	return nil
}

// tellNotes tells what the verdicts alone do not: which tests are incomplete, and what their histories lack.
func tellNotes(w io.Writer, tests []results.Test) error {
	for _, t := range tests {
		if t.Status != results.Incomplete {
			continue
		}
		for _, note := range append([]string{"incomplete: " + t.Reason}, t.Notes...) {
			if _, err := fmt.Fprintf(w, "lockbench: %s: %s\n", t.Name, report.Printable(note)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFile judges one history.
func checkFile(w io.Writer, path string, asJSON, explained bool) error {
	r, err := judge.File(path, checker.Options{})
	if err != nil {
		return badInput(err)
	}
	limit := shownIncidents
	if explained {
		limit = math.MaxInt
	} else if asJSON {
		limit = 0
	}
	t := results.TestVerdict{Test: path, Result: r}
	if t.Explanations, err = judge.Explain(path, &r, limit); err != nil {
		return badInput(err)
	}
	if asJSON {
		err = writeJSON(w, []results.TestVerdict{t})
	} else {
		err = printFile(w, &t, explained)
	}
	if err != nil {
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

// writeJSON writes what verdict.json has in its tests.
func writeJSON(w io.Writer, tests []results.TestVerdict) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(results.Verdicts{Format: results.Format, Tests: tests})
}

// badInput tells errors of what was given from errors of the program.
func badInput(err error) error {
	if _, ok := errors.AsType[*judge.InputError](err); ok {
		return usage(err)
	}
	if _, ok := errors.AsType[*history.LineError](err); ok {
		return usage(err)
	}
	return err
}
