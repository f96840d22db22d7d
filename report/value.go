package report

import (
	"fmt"
	"strconv"

	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// Value is a fact in a cell; a measure.Span is one, too. String is what people read.
type Value interface{ String() string }

// The values.
type (
	// Words are a fact that is none of the others.
	Words string
	// Number is a count by itself.
	Number int64
	// Things are a count of a noun.
	Things struct {
		N    int
		Noun string
	}
	// Times is how often something happened.
	Times int
	// Share is a part of one.
	Share float64
	// Part is some of all.
	Part struct{ N, Of int }
)

func (w Words) String() string  { return string(w) }
func (n Number) String() string { return strconv.FormatInt(int64(n), 10) }
func (t Things) String() string { return units.Plural(t.N, t.Noun) }
func (t Times) String() string  { return fmt.Sprintf("×%d", int(t)) }
func (s Share) String() string  { return units.Percent(float64(s)) }
func (p Part) String() string   { return fmt.Sprintf("%d of %d", p.N, p.Of) }

// notMeasured is what nothing measured.
const notMeasured = Words(measure.Dash)

// Cell is what a cell shows, of one or more lines.
type Cell []CellLine

// CellLine is one line of a cell.
type CellLine struct {
	// State is what the line says of a question; empty: it is no answer.
	State State
	// Label says what the value is; empty: the column does.
	Label string
	Value Value
}

// Text is the line as people read it.
func (l CellLine) Text() string {
	if l.Label == "" {
		return l.Value.String()
	}
	return l.Label + " " + l.Value.String()
}

// CellOf makes a cell of values without labels, a line each.
func CellOf(values ...Value) Cell {
	c := make(Cell, len(values))
	for i, v := range values {
		c[i].Value = v
	}
	return c
}

// Lines are the lines as people read them.
func (c Cell) Lines() []string {
	all := make([]string, len(c))
	for i, l := range c {
		all[i] = l.Text()
	}
	return all
}
