// Package judge turns the saved histories of a run into its verdicts. It needs nothing but the run's directory,
// and can be run again at any time.
package judge

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/recorder"
	"github.com/lockbench/lockbench/internal/results"
)

// Run judges every history of the run in dir and saves verdict.json. A test that left no history gets no verdict.
// A history that is not well formed is an error: it is never judged.
func Run(dir string) error {
	saved, err := results.Load(dir)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotARun, err)
	}
	if err := recoverStreams(saved); err != nil {
		return err
	}
	verdicts := results.Verdicts{Format: results.Format}
	for _, t := range saved.Run.Tests {
		path := saved.Dir.History(t.Name)
		result, err := File(path, t.Check)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		explanations, err := Explain(path, &result, MaxExplained)
		if err != nil {
			return err
		}
		verdicts.Tests = append(verdicts.Tests, results.TestVerdict{
			Test: t.Name, Result: result, Explanations: explanations, Unexplained: len(result.Incidents) - len(explanations),
		})
	}
	return saved.Dir.WriteVerdicts(&verdicts)
}

// ErrNotARun is wrapped by the error of a directory that cannot be read as a run.
var ErrNotARun = errors.New("cannot read the run")

// recoverStreams makes the histories of a run whose coordinator died before it could merge them.
func recoverStreams(saved results.Saved) error {
	for _, t := range saved.Run.Tests {
		if t.InTransaction {
			continue // without the ledger, which died with the servers, they prove nothing
		}
		streams := saved.Dir.Streams(t.Name)
		if _, err := os.Stat(streams); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if _, err := recorder.MergeInto(saved.Dir.History(t.Name), streams); err != nil {
			return err
		}
	}
	return nil
}

// File judges one history.
func File(path string, opt checker.Options) (checker.Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return checker.Result{}, fmt.Errorf("read a history: %w", err)
	}
	defer f.Close() // opened for reading
	result, err := checker.CheckFrom(func(feed func(*history.Op) error) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read a history: %w", err)
		}
		return history.ForEach(f, feed)
	}, opt)
	if err != nil {
		return checker.Result{}, fmt.Errorf("%s: %w", path, err)
	}
	return result, nil
}
