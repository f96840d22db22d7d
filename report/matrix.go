package report

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/internal/results"
)

// Matrix is what became of the data of every lock in every scenario of a report: unfenced and fenced, side by side.
type Matrix struct {
	Columns []MatrixColumn
	Lines   []MatrixLine
}

// MatrixColumn is a scenario or, of a sweep or of rounds, one run of it.
type MatrixColumn struct {
	Title string
	// Runs are the places of its runs in the report, from 0. There is at least one.
	Runs []int
}

// MatrixLine is a lock, with a cell for each column.
type MatrixLine struct {
	Driver results.Driver
	Cells  []MatrixCell
}

// MatrixCell is the data of one lock in one scenario.
type MatrixCell struct {
	// Absent is true if no run of the scenario has the lock: then the findings are empty.
	Absent           bool
	Unfenced, Fenced Finding
}

// DataOutcome is what became of data, in words.
type DataOutcome string

// The outcomes.
const (
	Right     DataOutcome = "right"
	Corrupted DataOutcome = "corrupted"
	NotJudged DataOutcome = "not judged"
	NotMeant  DataOutcome = "not applicable"
)

// Outcome says what became of the data that the finding is about.
func (f Finding) Outcome() DataOutcome {
	switch f.State {
	case Valid:
		return Right
	case Invalid:
		return Corrupted
	case NotApplicable:
		return NotMeant
	case Unknown, NotRun, Failed:
	}
	return NotJudged
}

// NewMatrix returns the matrix of a report on several scenarios; nil: they are not several.
func NewMatrix(runs []*Model) *Matrix {
	m := &Matrix{}
	var names []string
	for i, run := range runs {
		title := cmp.Or(run.Run.Title(), "unknown scenario")
		at := slices.IndexFunc(m.Columns, func(c MatrixColumn) bool { return c.Title == title })
		if at < 0 {
			at = len(m.Columns)
			m.Columns = append(m.Columns, MatrixColumn{Title: title})
		}
		m.Columns[at].Runs = append(m.Columns[at].Runs, i)
		for _, r := range run.Rows {
			if !slices.Contains(names, r.Driver.Name) {
				names = append(names, r.Driver.Name)
				m.Lines = append(m.Lines, MatrixLine{Driver: r.Driver})
			}
		}
	}
	if len(m.Columns) < 2 {
		return nil
	}
	for i, name := range names {
		for _, c := range m.Columns {
			m.Lines[i].Cells = append(m.Lines[i].Cells, matrixCell(runs, c, name))
		}
	}
	return m
}

// matrixCell merges what the runs of a column say of a lock: the worst counts.
func matrixCell(runs []*Model, c MatrixColumn, driver string) MatrixCell {
	var rows []seenRow
	for _, i := range c.Runs {
		for k := range runs[i].Rows {
			if r := &runs[i].Rows[k]; r.Driver.Name == driver {
				rows = append(rows, seenRow{runs[i], r})
			}
		}
	}
	if len(rows) == 0 {
		return MatrixCell{Absent: true}
	}
	return MatrixCell{
		Unfenced: over(rows, func(r *Row) Finding { return r.Unfenced }),
		Fenced:   over(rows, func(r *Row) Finding { return r.Fenced }),
	}
}

// The words of the matrix.
const (
	MatrixTitle = "Data in each scenario"
	MatrixAbout = "Of each lock and scenario: what became of the data, unfenced / fenced. The worst of any test counts."
)
