package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/compare"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/text"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// series is what several runs, one after another, left.
type series struct {
	lines  []string // how each ended
	codes  []int
	models []*report.Model // nil: it left none
	ended  []progress.Result
}

// runSeries does the runs one after another, until it is interrupted. name tells them apart.
func runSeries(cmd *cobra.Command, f runFlags, runs []plan.Run, name func(plan.Run) string) *series {
	s := &series{}
	for _, p := range runs {
		line := name(p) + ": "
		if cmd.Context().Err() != nil {
			s.add(line+"not run: interrupted", exitInterrupted, ran{result: progress.Result{
				Swept: p.Change(), Round: p.Round, Exit: exitInterrupted, Error: "not run: interrupted", Tests: []progress.Verdict{},
			}})
			continue
		}
		r, err := runOne(cmd, f, p)
		code, said := exitOf(err)
		if said != nil {
			say(cmd.ErrOrStderr(), line, said)
		}
		s.add(strings.TrimSuffix(fmt.Sprintf("%sexit code %d, %s", line, code, r.result.Dir), ", "), code, r)
	}
	return s
}

func (s *series) add(line string, code int, r ran) {
	s.lines, s.codes = append(s.lines, line), append(s.codes, code)
	s.models, s.ended = append(s.models, r.model), append(s.ended, r.result)
}

// end is the error for the series' exit code, the worst of its runs'. failed is what went wrong after them.
func (s *series) end(failed error) error {
	codes := s.codes
	if failed != nil {
		codes = append(codes, exitInternal)
	}
	if code := worst(codes); code != exitValid {
		return exitError{code, failed}
	}
	return nil
}

// worst is the exit code with the highest priority.
func worst(codes []int) int {
	for _, code := range []int{exitInterrupted, exitUsage, exitInternal, exitViolation, exitUnknown} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return exitValid
}

// endSeries tells programs how the runs of a series ended.
func endSeries(w io.Writer, e progress.Event) error {
	e.Time = time.Now()
	return progress.NewJSON(w).Show([]progress.Event{e})
}

// runSweep does the runs of a sweep.
func runSweep(cmd *cobra.Command, f runFlags, runs []plan.Run) error {
	s := runSeries(cmd, f, runs, plan.Run.Change)
	out := cmd.OutOrStdout()
	if f.json {
		return s.end(endSeries(out, progress.Event{Kind: progress.SweepEnded, Results: s.ended}))
	}
	var values []string
	for _, p := range runs {
		values = append(values, p.Value)
	}
	opt := textOptions(cmd)
	fmt.Fprintf(out, "\nThe sweep of %s\n", printable(runs[0].Path))
	for _, line := range s.lines {
		fmt.Fprintln(out, strings.Join(lines.Hang(printable(line), opt.Width, "  ", "    "), "\n"))
	}
	return s.end(text.Series(out, values, s.models, opt))
}

// runRounds does the rounds in a directory of their own, and reports on all of them together.
func runRounds(cmd *cobra.Command, f runFlags, runs []plan.Run) error {
	dir, err := results.CreateSet(f.out, runs[0].Scenario.Name+"-rounds", time.Now())
	if err != nil {
		return exitError{exitInternal, err}
	}
	f.out = string(dir)
	s := runSeries(cmd, f, runs, func(p plan.Run) string { return p.Round.String() })
	return s.end(s.reportRounds(cmd, f, dir))
}

// reportRounds saves and prints the report on the rounds.
func (s *series) reportRounds(cmd *cobra.Command, f runFlags, dir results.Dir) error {
	set := &compare.Set{Path: string(dir)}
	for _, m := range s.models {
		if m != nil {
			set.Runs = append(set.Runs, m)
		}
	}
	rounds, err := compare.NewRounds(set)
	if err != nil {
		return fmt.Errorf("put the rounds together: %w", err)
	}
	if err := formats.Save(dir, rounds.Document()); err != nil {
		return err
	}
	f.sayReport(dir)
	out := cmd.OutOrStdout()
	if f.json {
		return endSeries(out, progress.Event{Kind: progress.RoundsEnded, Dir: string(dir), Results: s.ended})
	}
	return errors.Join(text.Render(out, rounds.Document(), textOptions(cmd)), sayPage(out, string(dir)))
}
