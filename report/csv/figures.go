package csv

import (
	"cmp"
	"strconv"

	"github.com/lockbench/lockbench/report"
)

// figures are a header, and a line for each driver and quantity.
func figures(s *report.Summary) [][]string {
	header := []string{"driver", "quantity", "unit"}
	for _, side := range s.Sides {
		if side != "" {
			side += "_"
		}
		header = append(header, side+"rounds", side+"median", side+"low", side+"high", side+"confidence")
	}
	compared := len(s.Sides) == 2
	if compared {
		header = append(header, "verdict")
	}
	lines := [][]string{header}
	for _, f := range s.Figures {
		line := []string{f.Driver, f.Quantity, f.Unit}
		for _, e := range f.Estimates {
			line = append(line, strconv.Itoa(e.Rounds), number(e.Median, e.Rounds > 0), number(e.Low, e.HasInterval()),
				number(e.High, e.HasInterval()), number(e.Confidence, e.HasInterval()))
		}
		if compared {
			line = append(line, cmp.Or(f.Verdict, notAvailable))
		}
		lines = append(lines, line)
	}
	return lines
}

// number writes a number that is there, or NA.
func number(v float64, there bool) string {
	if !there {
		return notAvailable
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
