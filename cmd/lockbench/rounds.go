package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/report"
)

// rounds repeats a plan. The first round has the plan's seed, so that it is the run that there would be without rounds; the
// others have seeds that follow from it.
func (p plan) rounds(n int) []plan {
	all := make([]plan, n)
	for i := range all {
		all[i] = p
		all[i].round = &results.Round{N: i + 1, Of: n}
		if i > 0 {
			all[i].seed = rng.Stream(p.seed, "round", i).Uint64() >> seedShift
		}
	}
	return all
}

// runRounds runs the rounds one after another, until it is interrupted, into a directory of their own, and reports on all of
// them together. Its exit is the worst of theirs.
func runRounds(cmd *cobra.Command, f runFlags, plans []plan) error {
	dir, err := results.CreateSet(f.out, plans[0].scenario.Name, time.Now())
	if err != nil {
		return exitError{exitInternal, err}
	}
	f.out = string(dir)
	s := runSeries(cmd, f, plans, func(p plan) string { return p.round.String() })
	code := worst(s.codes)
	reported := s.reportRounds(cmd, f, dir)
	if reported != nil {
		code = worst([]int{code, exitInternal})
	}
	if code != exitValid {
		return exitError{code, reported}
	}
	return nil
}

// reportRounds saves and prints the report on the rounds.
func (s *series) reportRounds(cmd *cobra.Command, f runFlags, dir results.Dir) error {
	set := &report.Set{Path: string(dir)}
	for _, m := range s.models {
		if m != nil {
			set.Runs = append(set.Runs, m)
		}
	}
	rounds, err := report.NewRounds(set)
	if err != nil {
		return fmt.Errorf("put the rounds together: %w", err)
	}
	if err := rounds.Save(dir); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if f.json {
		return endSeries(out, progress.Event{Kind: progress.RoundsEnded, Dir: string(dir), Results: s.ended})
	}
	return errors.Join(rounds.Render(out, report.Text, report.Options{Color: wantsColor(out)}), sayPage(out, string(dir)))
}
