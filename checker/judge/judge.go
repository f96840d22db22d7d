// Package judge turns the saved histories of a run into its verdicts. It needs nothing but the run's directory,
// and can be run again at any time.
package judge

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/internal/disk"
	"github.com/lockbench/lockbench/internal/results"
)

// Run judges every history of the run in dir and saves verdict.json. A test that left no history gets no verdict. One
// whose history is not well formed is unknown, and the reason names the file and the line: such a history is never
// judged, and costs no other test its verdict. An *InputError says that nothing could be judged as it is.
func Run(dir string) error {
	saved, err := results.LoadToJudge(dir)
	if err != nil {
		return &InputError{fmt.Errorf("%w: %w", ErrNotARun, err)}
	}
	if err := checkLost(&saved); err != nil {
		return &InputError{err}
	}
	if err := saved.Dir.Sweep(); err != nil {
		return err
	}
	lacking, err := recoverStreams(&saved)
	if err != nil {
		return err
	}
	verdicts := results.Verdicts{Format: results.Format}
	for i := range saved.Run.Tests {
		t := &saved.Run.Tests[i]
		v, err := judgeTest(&saved, t)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case malformed(err) && (lacking[t.Name] || t.Status != results.Complete):
			if note(t, []string{fmt.Sprintf("what there is of its history does not fit together, so it was not judged: %v", err)}) {
				if err := saved.Dir.WriteRun(&saved.Run); err != nil {
					return err
				}
			}
		case malformed(err):
			verdicts.Tests = append(verdicts.Tests, unknown(&saved.Dir, t, err))
		case err != nil:
			return err
		default:
			verdicts.Tests = append(verdicts.Tests, v)
		}
	}
	return saved.Dir.WriteVerdicts(&verdicts)
}

// unknown is the verdict on a test whose history was damaged after the run. It names the file within the run.
func unknown(dir *results.Dir, t *results.Test, err error) results.TestVerdict {
	var line *history.LineError
	_ = errors.As(err, &line) // it is one
	j := checker.Judgement{Verdict: checker.Unknown, Reason: fmt.Sprintf("%s/%s is damaged and was not judged: %v", results.HistoryDir, filepath.Base(dir.History(t.Name)), line)}
	return results.TestVerdict{Test: t.Name, Result: checker.Result{
		Exclusion: j, Data: j, Liveness: j, Faults: []checker.Fault{}, Incidents: []checker.Incident{},
	}}
}

// malformed reports whether an error says that lines of a history are wrong, or do not fit together.
func malformed(err error) bool {
	var line *history.LineError
	return errors.As(err, &line)
}

func judgeTest(saved *results.Saved, t *results.Test) (v results.TestVerdict, err error) {
	path := saved.Dir.History(t.Name)
	result, err := File(path, t.Check)
	if err != nil {
		return v, err
	}
	explanations, err := Explain(path, &result, MaxExplained, saved.Run.FaultsWith)
	if err != nil {
		return v, err
	}
	return results.TestVerdict{
		Test: t.Name, Result: result, Explanations: explanations, Unexplained: len(result.Incidents) - len(explanations),
	}, nil
}

// ErrNotARun is wrapped by the error of a directory that cannot be read as a run.
var ErrNotARun = errors.New("cannot read the run")

// InputError marks an error of what was to be judged: a file that is not there, cannot be read, or is no history.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *InputError) Unwrap() error { return e.Err }

// checkLost returns an error if a history is gone that was there: a verdict that nothing could give again must not be
// lost, too.
func checkLost(saved *results.Saved) error {
	for _, t := range saved.Run.Tests {
		path := saved.Dir.History(t.Name)
		if t.Status != results.Complete && !slices.ContainsFunc(saved.Verdicts.Tests, func(v results.TestVerdict) bool { return v.Test == t.Name }) {
			continue
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			continue // what else is wrong with it is told when it is read
		}
		if _, err := os.Stat(saved.Dir.Streams(t.Name)); err == nil && !t.InTransaction {
			continue // it will be made of them
		}
		return fmt.Errorf("%s is missing, the history of a test that had one: put it back and check again; nothing was changed", path)
	}
	return nil
}

// recoverStreams makes the histories of a run whose coordinator died before it could merge them, and notes in
// run.json what they lack. It returns the tests of which streams were damaged.
func recoverStreams(saved *results.Saved) (lacking map[string]bool, err error) {
	lacking = map[string]bool{}
	noted := false
	for i := range saved.Run.Tests {
		t := &saved.Run.Tests[i]
		if t.InTransaction {
			continue // without the ledger, which died with the servers, they prove nothing
		}
		streams := saved.Dir.Streams(t.Name)
		if _, err := os.Stat(streams); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r, err := recorder.Recover(saved.Dir.History(t.Name), streams)
		var unread *recorder.StreamError
		if errors.As(err, &unread) {
			return nil, &InputError{err}
		}
		if err != nil {
			return nil, err
		}
		lacking[t.Name] = r.Lacking
		noted = note(t, r.Notes) || noted
	}
	_ = os.Remove(saved.Dir.File(results.StreamDir)) // it stays if there is anything in it
	if noted {
		return lacking, saved.Dir.WriteRun(&saved.Run)
	}
	return lacking, nil
}

// note adds what is new to the test's notes, and says whether anything was. A test whose streams are not whole is not
// complete.
func note(t *results.Test, notes []string) (added bool) {
	for _, n := range notes {
		if slices.Contains(t.Notes, n) {
			continue
		}
		t.Notes, added = append(t.Notes, n), true
		if t.Status == results.Complete {
			t.Status, t.Reason = results.Incomplete, "not all of what was recorded is there: "+n
		}
	}
	return added
}

// File judges one history. Its errors are of the input.
func File(path string, opt checker.Options) (checker.Result, error) {
	f, err := open(path)
	if err != nil {
		return checker.Result{}, err
	}
	defer f.Close() // opened for reading
	result, err := checker.CheckFrom(func(feed func(*history.Op) error) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read a history: %w", err)
		}
		return history.ForEach(f, feed)
	}, opt)
	if err != nil {
		return checker.Result{}, &InputError{fmt.Errorf("%s: %w", path, err)}
	}
	return result, nil
}

// open opens a history for reading.
func open(path string) (*os.File, error) {
	if err := disk.Regular(path); err != nil {
		return nil, &InputError{fmt.Errorf("read a history: %w", err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &InputError{fmt.Errorf("read a history: %w", err)}
	}
	return f, nil
}
