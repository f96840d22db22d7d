package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/report"
)

// runSweep runs the plans one after another, until it is interrupted. Its exit is the worst of theirs.
func runSweep(cmd *cobra.Command, f runFlags, plans []plan) error {
	var lines []string
	var codes []int
	var values []string
	var models []*report.Model
	var ended []progress.Result
	for _, p := range plans {
		line := fmt.Sprintf("%s = %s: ", p.swept, p.value)
		if cmd.Context().Err() != nil {
			lines = append(lines, line+"not run: interrupted")
			codes = append(codes, exitInterrupted)
			ended = append(ended, progress.Result{Swept: p.change(), Exit: exitInterrupted, Error: "not run: interrupted", Tests: []progress.Verdict{}})
			continue
		}
		r, err := runPlan(cmd, f, p)
		values, models, ended = append(values, p.value), append(models, r.model), append(ended, r.result)
		code, said := exitOf(err)
		if said != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "lockbench: %s%v\n", line, said)
		}
		codes = append(codes, code)
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("%sexit code %d, %s", line, code, r.result.Dir), ", "))
	}
	var err error
	if f.json {
		err = sweepEnded(cmd.OutOrStdout(), ended)
	} else {
		fmt.Fprintf(cmd.OutOrStdout(), "\nThe sweep of %s\n  %s\n", plans[0].swept, strings.Join(lines, "\n  "))
		err = report.RenderSeries(cmd.OutOrStdout(), values, models)
	}
	if err != nil {
		return err
	}
	if code := worst(codes); code != exitValid {
		return exitError{code: code}
	}
	return nil
}

// worst is the first that applies of 130, 2, 4, 1, 3, 0.
func worst(codes []int) int {
	for _, code := range []int{exitInterrupted, exitUsage, exitInternal, exitViolation, exitUnknown} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return exitValid
}
