package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
)

// shown is what a run tells while it goes on. feed is nil with --quiet.
type shown struct {
	feed   *progress.Feed
	forget func() bool // stops waiting for an interrupt
}

// newProgress starts to show a run, in the way that the flags and the terminal ask for. The caller calls end.
func newProgress(cmd *cobra.Command, f runFlags) *shown {
	var renderer progress.Renderer
	var every time.Duration
	said := cmd.ErrOrStderr()
	switch {
	case f.quiet:
		return &shown{}
	case f.json:
		renderer = progress.NewJSON(cmd.OutOrStdout())
	case canRedraw(said):
		renderer = progress.NewLive(said, func() (int, int) { return windowSize(said) }, time.Now)
		every = redrawEvery
	default:
		renderer = progress.NewPlain(said)
	}
	s := &shown{feed: progress.Start(renderer, every)}
	s.forget = context.AfterFunc(cmd.Context(), func() {
		s.tell(progress.Event{Kind: progress.Note, Text: "interrupted: faults are being healed and servers stopped; a second interrupt leaves at once"})
	})
	return s
}

// redrawEvery is how often the display is drawn if nothing happens: times pass, and windows change.
const redrawEvery = 250 * time.Millisecond

// windowSize is the size of a terminal's window in columns and rows, or what most have if it does not tell.
func windowSize(w io.Writer) (width, height int) {
	if f, ok := w.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}

// listener is who gets the run's events; nil: nobody.
func (s *shown) listener() func(progress.Event) {
	if s.feed == nil {
		return nil
	}
	return s.feed.Emit
}

func (s *shown) tell(e progress.Event) {
	if s.feed != nil {
		e.Time = time.Now()
		s.feed.Emit(e)
	}
}

// end shows how the run ended and waits until all is shown.
func (s *shown) end(r progress.Result) error {
	if s.feed == nil {
		return nil
	}
	s.forget()
	s.tell(progress.Event{Kind: progress.RunEnded, Result: &r})
	return s.feed.Close()
}

// result is how a run ended, for programs.
func result(p plan, dir string, err error) progress.Result {
	code, said := exitOf(err)
	r := progress.Result{Swept: p.change(), Round: p.round, Dir: dir, Exit: code, Tests: []progress.Verdict{}}
	if said != nil {
		r.Error = said.Error()
	}
	if dir == "" {
		return r
	}
	saved, err := results.Load(dir)
	if err != nil {
		return r // whoever judged it has said so
	}
	drivers := map[string]string{}
	for _, t := range saved.Run.Tests {
		drivers[t.Name] = t.Driver
	}
	for _, t := range saved.Verdicts.Tests {
		r.Tests = append(r.Tests, progress.Verdict{
			Test: t.Test, Driver: drivers[t.Test], Exclusion: t.Result.Exclusion.Verdict.String(), Data: t.Result.Data.Verdict.String(),
			Liveness: t.Result.Liveness.Verdict.String(), Incidents: len(t.Result.Incidents),
		})
	}
	return r
}
