// Package units writes numbers for people: three significant digits, a blank, and a unit.
package units

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Duration writes d with three significant digits and a unit; nanoseconds as they are.
func Duration(d time.Duration) string {
	number, unit := DurationParts(d)
	return number + " " + unit
}

// DurationParts is Duration as a number and its unit.
func DurationParts(d time.Duration) (number, unit string) {
	v := float64(d)
	if math.Abs(v) < 999.5 {
		return strconv.FormatInt(int64(d), 10), "ns"
	}
	unit = "ns"
	for _, next := range []string{"µs", "ms", "s"} {
		if math.Abs(v) < 999.5 { // what rounds to 1000 is written in the next unit
			break
		}
		v, unit = v/1e3, next
	}
	return Number(v), unit
}

// Number writes v with three significant digits and no exponent.
func Number(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	scale := math.Pow10(digits)
	rounded := math.Round(v*scale) / scale
	// 9.996 rounds to 10.0, which has one digit less behind the point.
	digits = 2 - int(math.Floor(math.Log10(math.Abs(rounded))))
	return strconv.FormatFloat(rounded, 'f', max(0, digits), 64)
}

// Percent writes a part of one with three significant digits.
func Percent(part float64) string { return Number(100*part) + " %" }

// Plural writes a count with its noun, in the plural unless it is 1.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
