package compare

import (
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
)

// tableOf makes a table with a line for each row.
func tableOf[Row any](id results.Table, title string, columns []string, rows []Row, line func(*Row) report.Line) report.Table {
	t := report.Table{ID: id, Title: title, Columns: columns}
	for i := range rows {
		t.Lines = append(t.Lines, line(&rows[i]))
	}
	return t
}
