package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/report"
)

// runSweep runs the plans one after another, until it is interrupted. Its exit is the worst of theirs.
func runSweep(cmd *cobra.Command, f runFlags, plans []plan) error {
	s := runSeries(cmd, f, plans, plan.change)
	var values []string
	for _, p := range plans {
		values = append(values, p.value)
	}
	var err error
	if f.json {
		err = endSeries(cmd.OutOrStdout(), progress.Event{Kind: progress.SweepEnded, Results: s.ended})
	} else {
		fmt.Fprintf(cmd.OutOrStdout(), "\nThe sweep of %s\n  %s\n", plans[0].swept, strings.Join(s.lines, "\n  "))
		err = report.RenderSeries(cmd.OutOrStdout(), values, s.models)
	}
	if err != nil {
		return err
	}
	if code := worst(s.codes); code != exitValid {
		return exitError{code: code}
	}
	return nil
}
