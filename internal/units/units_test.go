package units

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ns", 1: "1 ns", 999: "999 ns", 1000: "1.00 µs", 1234: "1.23 µs", 12345: "12.3 µs", 123456: "123 µs",
		999_499: "999 µs", 162_400: "162 µs", 9_994_999: "9.99 ms", 99_949_999: "99.9 ms", 99_950_000: "100 ms", 999500: "1.00 ms", 9996 * time.Microsecond: "10.0 ms",
		2100 * time.Millisecond: "2.10 s", 141300 * time.Millisecond: "141 s", 12345 * time.Second: "12300 s", -1500: "-1.50 µs",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d ns is written %q, want %q", d, got, want)
		}
	}
}

func TestDurationIsWithinHalfADigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1000, int64(1000*time.Second)).Draw(t, "d"))
		var v float64
		var unit string
		if _, err := fmt.Sscan(Duration(d), &v, &unit); err != nil {
			t.Fatal(err)
		}
		got := v * map[string]float64{"µs": 1e3, "ms": 1e6, "s": 1e9}[unit]
		if off := (got - float64(d)) / float64(d); off > 0.0051 || off < -0.0051 {
			t.Fatalf("%d ns is written %s", d, Duration(d))
		}
	})
}
