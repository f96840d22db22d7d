package report

import (
	"encoding/csv"
	"io"
	"strconv"
)

// renderDocumentCSV writes one line per driver and quantity, after a header.
func renderDocumentCSV(w io.Writer, d *Document) error {
	header := []string{"driver", "quantity", "unit"}
	for _, side := range d.Sides {
		if side != "" {
			side += "_"
		}
		header = append(header, side+"rounds", side+"median", side+"low", side+"high", side+"confidence")
	}
	compared := len(d.Sides) == 2
	if compared {
		header = append(header, "verdict")
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	for _, f := range d.Figures {
		line := []string{printable(f.Driver), f.Quantity, f.Unit}
		for _, e := range f.Estimates {
			line = append(line, strconv.Itoa(e.Rounds), number(e.Median, e.Rounds > 0), number(e.Low, e.HasInterval()),
				number(e.High, e.HasInterval()), number(e.Confidence, e.HasInterval()))
		}
		if compared {
			line = append(line, orElse(f.Verdict, notAvailable))
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// number writes a number that is there, or NA.
func number(v float64, there bool) string {
	if !there {
		return notAvailable
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
