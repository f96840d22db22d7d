package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/report"
)

// series is what several runs, one after another, left.
type series struct {
	lines  []string // how each ended
	codes  []int
	models []*report.Model // nil: it left none
	ended  []progress.Result
}

// runSeries runs the plans one after another, until it is interrupted. name says which of them one is.
func runSeries(cmd *cobra.Command, f runFlags, plans []plan, name func(plan) string) *series {
	s := &series{}
	for _, p := range plans {
		line := name(p) + ": "
		if cmd.Context().Err() != nil {
			s.add(line+"not run: interrupted", exitInterrupted, ran{result: progress.Result{
				Swept: p.change(), Round: p.round, Exit: exitInterrupted, Error: "not run: interrupted", Tests: []progress.Verdict{},
			}})
			continue
		}
		r, err := runPlan(cmd, f, p)
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

// worst is the first that applies of 130, 2, 4, 1, 3, 0.
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
