package report

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report/measure"
)

// Build reads the run in a directory, as far as it came, and builds its model. A history with a damaged line costs the
// figures of its own test. The error is one line that names the file.
func Build(dir string) (*Model, error) {
	saved, err := results.Load(dir)
	if err != nil {
		return nil, err
	}
	measured := map[string]measure.Measurement{}
	for i := range saved.Run.Tests {
		test := &saved.Run.Tests[i]
		m, err := measure.Test(&saved.Run, test, measure.File(saved.Dir.History(test.Name)), saved.Verdicts.On(test.Name))
		if errors.Is(err, fs.ErrNotExist) && test.Status != results.Complete {
			continue // it did not come so far
		}
		if line := new(history.LineError); errors.As(err, &line) {
			measured[test.Name] = measure.Damaged(line)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the history of test %s: %w", test.Name, err)
		}
		measured[test.Name] = m
	}
	m := NewModel(saved.Run, saved.Verdicts, saved.Judged, measured)
	m.Dir = dir
	return m, nil
}
