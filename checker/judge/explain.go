package judge

import (
	"fmt"
	"io"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/checker/history"
)

// MaxExplained is how many incidents of a test verdict.json explains. The others are only listed: more than that nobody
// reads, and each keeps its lines in memory while it is explained.
const MaxExplained = 100

// Explain explains the first limit incidents that were found in the history in path. traits are those of the run's
// faults; nil: there is no run. Its errors are of the input.
func Explain(path string, result *checker.Result, limit int, traits explain.Traits) ([]explain.Explanation, error) {
	if len(result.Incidents) == 0 {
		return nil, nil
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // opened for reading
	all, err := explain.Incidents(result, func(yield func(int, *history.Op) error) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read a history: %w", err)
		}
		n := 0
		return history.ForEach(f, func(op *history.Op) error {
			n++
			return yield(n, op)
		})
	}, limit, traits)
	if err != nil {
		return nil, &InputError{fmt.Errorf("%s: %w", path, err)}
	}
	return all, nil
}

// Lines reads the lines of the history in path.
func Lines(path string, yield func(op *history.Op) error) error {
	f, err := open(path)
	if err != nil {
		return err
	}
	defer f.Close() // opened for reading
	if err := history.ForEach(f, yield); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
