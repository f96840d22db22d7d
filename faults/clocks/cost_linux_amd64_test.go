package clocks

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"
)

// measureReads answers every line with the mean nanoseconds that a call of time.Now takes.
func measureReads(r io.Reader, w io.Writer) error {
	const reads = 2_000_000
	for lines := bufio.NewScanner(r); lines.Scan(); {
		start := time.Now()
		for range reads {
			_ = time.Now()
		}
		if _, err := fmt.Fprintf(w, "%.2f\n", float64(time.Since(start).Nanoseconds())/reads); err != nil {
			return err
		}
	}
	return nil
}

func BenchmarkClockRead(b *testing.B) {
	needClocks(b)
	c := goChild(b, "cost-child")
	for _, phase := range []struct {
		name string
		to   func() error
	}{
		{"before", func() error { return nil }},
		{"skewed", func() error { return Set(c.pid(), time.Hour) }},
		{"after", func() error { return Undo(c.pid()) }},
	} {
		b.Run(phase.name, func(b *testing.B) {
			if err := phase.to(); err != nil {
				b.Fatal(err)
			}
			sum, n := 0.0, 0
			for b.Loop() {
				answer, err := c.ask("")
				if err != nil {
					b.Fatal(err)
				}
				ns, err := strconv.ParseFloat(answer, 64)
				if err != nil {
					b.Fatal(err)
				}
				sum, n = sum+ns, n+1
			}
			b.ReportMetric(sum/float64(n), "ns/read")
			b.ReportMetric(0, "ns/op") // which is that of two million reads
		})
	}
}

func BenchmarkSkew(b *testing.B) {
	needClocks(b)
	c := goChild(b, "clock-child")
	if _, err := c.ask(""); err != nil {
		b.Fatal(err)
	}
	do := func(b *testing.B, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("inject", func(b *testing.B) {
		for b.Loop() {
			do(b, Set(c.pid(), time.Hour))
			b.StopTimer()
			do(b, Undo(c.pid()))
			b.StartTimer()
		}
	})
	b.Run("change", func(b *testing.B) {
		do(b, Set(c.pid(), time.Hour))
		offset := time.Hour
		for b.Loop() {
			offset++
			do(b, Set(c.pid(), offset))
		}
	})
	b.Run("undo", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			do(b, Set(c.pid(), time.Hour))
			b.StartTimer()
			do(b, Undo(c.pid()))
		}
	})
	b.Run("probe", func(b *testing.B) {
		for b.Loop() {
			do(b, Probe())
		}
	})
}
