package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
)

// serveWeb serves the live page, if there is to be one, and says where it is. The caller calls end with what became of
// the runs.
func (f *runFlags) serveWeb(cmd *cobra.Command) (end func(error) error, err error) {
	if f.webAddr == "" {
		return func(err error) error { return err }, nil
	}
	if f.web, err = progress.ServeWeb(f.webAddr, time.Now); err != nil {
		return nil, exitError{exitInternal, fmt.Errorf("--web: %w", err)}
	}
	if f.json {
		err = endSeries(cmd.OutOrStdout(), progress.Event{Kind: progress.PageServed, URL: f.web.URL()})
	} else {
		_, err = fmt.Fprintf(cmd.ErrOrStderr(), "lockbench: the live page is %s\n", f.web.URL())
	}
	end = func(err error) error {
		if failed := f.web.End(); failed != nil {
			code, said := exitOf(err)
			return exitError{worst([]int{code, exitInternal}), errors.Join(said, failed)}
		}
		return err
	}
	if err != nil {
		return nil, end(exitError{exitInternal, fmt.Errorf("say where the live page is: %w", err)})
	}
	return end, nil
}

// sayReport says to the live page in which directory its report is.
func (f *runFlags) sayReport(dir results.Dir) {
	if f.web != nil {
		f.web.Report(dir.File(results.ReportFile))
	}
}
