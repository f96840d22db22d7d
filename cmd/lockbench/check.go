package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/text"
)

// checkFlags are the values of `lockbench check`'s flags.
type checkFlags struct {
	format        string
	explained     bool
	grantedWithin time.Duration
	reentrant     bool
}

// bare is how a history file by itself is judged.
func (f *checkFlags) bare() checker.Options {
	return checker.Options{GrantedWithin: int64(f.grantedWithin), Reentrant: f.reentrant, DataOptional: true}
}

func newCheckCommand() *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use: "check PATH|-", Short: "Judge a saved run, or a history of any origin",
		Long: `Judges the histories of a saved run again and rewrites its verdicts, or judges one history file.

A history is JSON Lines; docs/history.md describes every field, so that any program can write one. With - it is read from
standard input; a named pipe will do as well. One that is cut off or whose lines do not fit together is refused with the line's number and exit code 2: it is never judged.

--explain tells each incident: who held the lock, which faults were in force, how long it lasted, what it did to the data,
and which lines of the history show it (docs/explain.md).

A history file says nothing of its lock. --granted-within bounds how long a lock that nobody holds may be asked for in
vain. --reentrant says that a process may take a lock again that it holds.`,
		Example: `  lockbench check results/20261123T060000Z-partition
  lockbench check results/20261123T060000Z-partition --explain
  lockbench check examples/history.jsonl --explain --format json
  lockbench check examples/history.jsonl --granted-within 10s
  zcat history.jsonl.gz | lockbench check -`,
		Args: wants(1, 1, "the directory of one run, one history file, or - for standard input", "results/<run>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if names := checkFormats(); !slices.Contains(names, f.format) {
				return usage(errors.New(nearest.Unknown("format", f.format, names)))
			}
			if f.grantedWithin < 0 || f.grantedWithin == 0 && cmd.Flags().Changed("granted-within") {
				return usage(fmt.Errorf("--granted-within %s: want more than 0", f.grantedWithin))
			}
			return check(cmd, args[0], &f)
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "text", "text or json")
	cmd.Flags().BoolVar(&f.explained, "explain", false, "tell every incident, not only the first ones")
	cmd.Flags().DurationVar(&f.grantedWithin, "granted-within", 0, "of a history file: a lock that nobody holds is granted within this time, or is stuck")
	cmd.Flags().BoolVar(&f.reentrant, "reentrant", false, "of a history file: a process may take a lock again that it holds")
	completeWords(cmd, "format", checkFormats())
	return cmd
}

func checkFormats() []string { return []string{"text", "json"} }

// check judges a run or a history, prints what was found, and says how it ended.
func check(cmd *cobra.Command, path string, f *checkFlags) error {
	if isStandardInput(path) {
		return checkInput(cmd, f)
	}
	st, err := os.Stat(path)
	if err != nil {
		return usage(orNewest(path, fmt.Errorf("check: %w", err)))
	}
	if st.IsDir() {
		if f.grantedWithin > 0 || f.reentrant {
			return usage(fmt.Errorf("--granted-within and --reentrant are for a history file; %s is a directory, and a run's own settings say how it is judged", path))
		}
		return checkRun(cmd, path, f.format == "json", f.explained)
	}
	if st.Mode()&os.ModeNamedPipe != 0 {
		return checkPipe(cmd, path, f)
	}
	if err := needRegular(path, st); err != nil {
		return usage(err)
	}
	return checkFile(cmd, path, path, f)
}

// needRegular says why a history cannot be read from there: it is read more than once.
func needRegular(path string, st os.FileInfo) error {
	if st.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s is not a regular file: a history is read several times, so save it to one; check also takes a pipe, and - for standard input", path)
}

// checkRun judges a run again and rewrites its verdicts.
func checkRun(cmd *cobra.Command, path string, asJSON, explained bool) error {
	w := cmd.OutOrStdout()
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
	if err := explainAll(&saved, explained); err != nil {
		return usage(err)
	}
	if asJSON {
		err = errors.Join(tellNotes(cmd.ErrOrStderr(), saved.Run.Tests), writeJSON(w, tests))
	} else {
		err = text.Render(w, report.Of(m), textOptions(cmd))
		for i := 0; err == nil && explained && i < len(tests); i++ {
			err = printExplained(w, &tests[i], textOptions(cmd).Width)
		}
	}
	if err != nil {
		return err
	}
	return outcome(m)
}

// explainAll leaves the tests with the explanations of all incidents or, if they were not asked for, with none.
func explainAll(saved *results.Saved, explained bool) (err error) {
	for i := range saved.Verdicts.Tests {
		t := &saved.Verdicts.Tests[i]
		switch {
		case !explained:
			t.Explanations, t.Unexplained = nil, 0
		case t.Unexplained > 0:
			if t.Explanations, err = judge.Explain(saved.Dir.History(t.Test), &t.Result, math.MaxInt, saved.Run.FaultsWith); err != nil {
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

// checkFile judges the history in a file. name is what the reader is told that it is.
func checkFile(cmd *cobra.Command, path, name string, f *checkFlags) error {
	w := cmd.OutOrStdout()
	asJSON, explained := f.format == "json", f.explained
	r, err := judge.File(path, f.bare())
	if err != nil {
		return badInput(err)
	}
	limit := shownIncidents
	if explained {
		limit = math.MaxInt
	} else if asJSON {
		limit = 0
	}
	t := results.TestVerdict{Test: name, Result: r}
	if t.Explanations, err = judge.Explain(path, &r, limit, nil); err != nil {
		return badInput(err)
	}
	if asJSON {
		err = writeJSON(w, []results.TestVerdict{t})
	} else {
		err = printFile(w, &t, explained, textOptions(cmd))
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
	return writeIndented(w, results.Verdicts{Format: results.Format, Tests: tests})
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
