package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
)

// grace is how long a program that is to end at once may take to tidy up: less than anybody notices.
const grace = 200 * time.Millisecond

// atOnce makes the first interrupt end a command that only reads and writes, wherever it is: a file on a disk that
// does not answer cannot be given up otherwise.
func atOnce(cmd *cobra.Command) *cobra.Command {
	do := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		ended := make(chan error, 1)
		go func() { ended <- do(cmd, args) }()
		select {
		case err := <-ended:
			if err == nil || ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			select {
			case <-ended: // it has removed what it began to write
			case <-time.After(grace):
			}
		}
		return exitError{exitInterrupted, errors.New("interrupted")}
	}
	return cmd
}

// interruptible is a writer that fails when ctx has ended, so that who writes a file gives up and removes it.
type interruptible struct {
	ctx context.Context
	w   io.Writer
}

func (i interruptible) Write(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.w.Write(p)
}

// surviveBrokenPipes makes a write to a pipe that nobody reads an error. Otherwise a reader of standard output that goes
// away would kill the program before it has healed its faults. undo makes it as it was. The signal is caught and not
// ignored, because children would inherit that.
func surviveBrokenPipes() (undo func()) {
	pipes := make(chan os.Signal, 1) // nobody looks: the write says it
	signal.Notify(pipes, syscall.SIGPIPE)
	return func() { signal.Stop(pipes) }
}

// farewell is what a second interrupt of a run does before the program leaves.
type farewell struct {
	mu      sync.Mutex
	out     string           // where the newest run makes its directory
	started time.Time        // what that run's run.json says of its start
	feeds   []*progress.Feed // what shows the run
}

type farewellKey struct{}

// farewellIn is the farewell that main put into ctx. Without main nobody ever says it.
func farewellIn(ctx context.Context) *farewell {
	if f, ok := ctx.Value(farewellKey{}).(*farewell); ok {
		return f
	}
	return &farewell{}
}

// begin says which run is the newest.
func (f *farewell) begin(out string, started time.Time, feeds []*progress.Feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.out, f.started, f.feeds = out, started, feeds
}

// say takes the display away and says where the run is, if it has a directory. A terminal or a disk that does not
// answer holds it up for no longer than two graces.
func (f *farewell) say(w io.Writer) {
	f.mu.Lock()
	out, started, feeds := f.out, f.started, f.feeds
	f.mu.Unlock()
	if started.IsZero() {
		return
	}
	for _, feed := range feeds {
		within(grace, func() { _ = feed.Close() }) // what could not be shown no longer matters
	}
	within(grace, func() {
		if dir := runStarted(out, started); dir != "" {
			fmt.Fprintf(w, "lockbench: ended at once; what there is was saved in %s: lockbench check %[1]s judges it\n", printable(dir))
		}
	})
}

// runStarted finds the directory of the run that began at that moment; empty: it has none yet.
func runStarted(out string, started time.Time) string {
	entries, err := os.ReadDir(out)
	if err != nil {
		return ""
	}
	for _, e := range slices.Backward(entries) { // the newest are the last
		dir := filepath.Join(out, e.Name())
		if saved, err := results.Load(dir); err == nil && saved.Run.Started.Equal(started) {
			return dir
		}
	}
	return ""
}

// within calls do and waits for it, but not for longer than d.
func within(d time.Duration, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(d):
	}
}
