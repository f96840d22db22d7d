package html

import (
	"cmp"
	"slices"

	"github.com/lockbench/lockbench/report"
)

// matrix is how every driver fared in several runs.
type matrix struct {
	Columns []matrixColumn
	Lines   []matrixLine
}

type matrixColumn struct {
	Subject, Anchor string
	Seed            uint64
}

type matrixLine struct {
	Title string
	Cells []matrixCell
}

// matrixCell is one driver in one run; nil as Row: it is not in it.
type matrixCell struct {
	Subject                     string
	Row                         *report.Row
	Exclusion, Unfenced, Fenced report.Finding
}

func newMatrix(runs []*report.Model) *matrix {
	m := &matrix{}
	var names []string
	for i, run := range runs {
		m.Columns = append(m.Columns, matrixColumn{cmp.Or(run.Run.Title(), "unknown scenario"), runPrefix(i) + "run", run.Run.Seed})
		for _, r := range run.Rows {
			if !slices.Contains(names, r.Driver.Name) {
				names = append(names, r.Driver.Name)
				m.Lines = append(m.Lines, matrixLine{Title: r.Driver.Title})
			}
		}
	}
	for i, name := range names {
		for _, run := range runs {
			cell := matrixCell{Subject: run.Run.Title()}
			if at := slices.IndexFunc(run.Rows, func(r report.Row) bool { return r.Driver.Name == name }); at >= 0 {
				cell.Row = &run.Rows[at]
				cell.Exclusion = exclusion(cell.Row)
				cell.Unfenced, cell.Fenced = cell.Row.Unfenced, cell.Row.Fenced
			}
			m.Lines[i].Cells = append(m.Lines[i].Cells, cell)
		}
	}
	return m
}

// exclusion is the worst finding of any test on mutual exclusion.
func exclusion(r *report.Row) report.Finding {
	return r.Find(func(t *report.TestRow) report.Finding { return t.Exclusion }, report.AnyTest)
}
