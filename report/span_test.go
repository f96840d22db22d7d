package report

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ns", 1: "1 ns", 999: "999 ns", 1000: "1.00 µs", 1234: "1.23 µs", 12345: "12.3 µs", 123456: "123 µs",
		999499: "999 µs", 999500: "1.00 ms", 9996 * time.Microsecond: "10.0 ms", 99960 * time.Microsecond: "100 ms",
		2100 * time.Millisecond: "2.10 s", 141300 * time.Millisecond: "141 s", 12345 * time.Second: "12300 s", -1500: "-1.50 µs",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%d ns is written %q, want %q", d, got, want)
		}
	}
}

func TestFormattedDurationIsWithinHalfADigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1000, int64(1000*time.Second)).Draw(t, "d"))
		var v float64
		var unit string
		if _, err := fmt.Sscan(formatDuration(d), &v, &unit); err != nil {
			t.Fatal(err)
		}
		got := v * map[string]float64{"µs": 1e3, "ms": 1e6, "s": 1e9}[unit]
		if off := (got - float64(d)) / float64(d); off > 0.0051 || off < -0.0051 {
			t.Fatalf("%d ns is written %s", d, formatDuration(d))
		}
	})
}

func TestSpansMerge(t *testing.T) {
	none, one, two, never := Span{}, measured(1), measured(2), unmeasured("never")
	for _, tt := range []struct{ a, b, longer, slower Span }{
		{none, one, one, one}, {one, two, two, two}, {two, one, two, two}, {none, never, never, never},
		{one, never, one, never}, {never, one, one, never},
	} {
		if got := tt.a.longer(tt.b); got != tt.longer {
			t.Errorf("the longer of %+v and %+v is %+v", tt.a, tt.b, got)
		}
		if got := tt.a.slower(tt.b); got != tt.slower {
			t.Errorf("the slower of %+v and %+v is %+v", tt.a, tt.b, got)
		}
	}
}
