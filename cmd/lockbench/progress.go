package main

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// shown is what a run tells while it goes on. feeds are none with --quiet and without --web.
type shown struct {
	feeds  []*progress.Feed
	forget func() bool // stops waiting for an interrupt
}

// newProgress starts to show a run, in the way that the flags and the terminal ask for. The caller calls end.
func newProgress(cmd *cobra.Command, f runFlags) *shown {
	s := &shown{}
	add := func(r progress.Renderer, every time.Duration) {
		s.feeds = append(s.feeds, progress.Start(untilNobodyReads{r, f.interrupt}, every))
	}
	said := cmd.ErrOrStderr()
	switch {
	case f.quiet:
	case f.json:
		add(progress.NewJSON(cmd.OutOrStdout()), 0)
	case canRedraw(said):
		// Times pass, and windows change.
		add(progress.NewLive(said, func() int { return windowWidth(said) }, time.Now), time.Second)
	default:
		add(progress.NewPlain(said), 0)
	}
	if f.web != nil {
		add(f.web, time.Second)
	}
	s.forget = context.AfterFunc(cmd.Context(), func() {
		s.tell(progress.Event{Kind: progress.Note, Text: "interrupted: faults are being healed and servers stopped; a second interrupt leaves at once"})
	})
	return s
}

// untilNobodyReads is a renderer that interrupts the run once whoever read its output is gone.
type untilNobodyReads struct {
	progress.Renderer
	interrupt func()
}

// Show implements progress.Renderer.
func (u untilNobodyReads) Show(events []progress.Event) error {
	err := u.Renderer.Show(events)
	if errors.Is(err, syscall.EPIPE) {
		u.interrupt()
	}
	return err
}

// windowWidth is the width of a terminal's window in columns, or what most have if it does not tell.
func windowWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// listener is who gets the run's events; nil: nobody. place is the run's in its series.
func (s *shown) listener(place *progress.Place) func(progress.Event) {
	if len(s.feeds) == 0 {
		return nil
	}
	return func(e progress.Event) {
		if e.Run != nil {
			about := *e.Run
			about.Place, e.Run = place, &about
		}
		s.emit(e)
	}
}

func (s *shown) tell(e progress.Event) {
	e.Time = time.Now()
	s.emit(e)
}

func (s *shown) emit(e progress.Event) {
	for _, f := range s.feeds {
		f.Emit(e)
	}
}

// end shows how the run ended and waits until all is shown.
func (s *shown) end(r progress.Result) error {
	s.forget()
	s.tell(progress.Event{Kind: progress.RunEnded, Result: &r})
	var errs []error
	for _, f := range s.feeds {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// result is how a run ended, for programs. model is nil if the run could not be judged.
func result(p plan.Run, dir string, model *report.Model, err error) progress.Result {
	code, said := exitOf(err)
	r := progress.Result{Scenario: p.Scenario.Name, Swept: p.Change(), Round: p.Round, Dir: dir, Exit: code, Tests: []progress.Verdict{}}
	if said != nil {
		r.Error = said.Error()
	}
	if model == nil {
		return r
	}
	for _, row := range model.Rows {
		for _, t := range row.Tests {
			v := progress.Verdict{
				Test: t.Name, Driver: row.Driver.Name, Exclusion: string(t.Exclusion.State), Data: string(t.Data.State), Liveness: string(t.Liveness.State),
			}
			if t.Result != nil {
				v.Incidents = len(t.Result.Incidents)
			}
			r.Tests = append(r.Tests, v)
		}
	}
	return r
}
