package bench

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/report"
)

// Log writes the latency of a driver over time as an interval log of HdrHistogram (.hlog, format version 1.3), in
// nanoseconds: a line for each second, test and phase, of the acquires that were granted in it. The tag of a line is
// TEST/PHASE, or TEST/PHASE/under-fault for those acquires that began to wait while a fault of the phase was in force.
// Its times begin with the first test of the driver; started, when the run did, is noted as the log's.
func Log(w io.Writer, r *report.Row, started time.Time) error {
	log := hdrhistogram.NewHistogramLogWriter(w)
	if err := log.OutputLogFormatVersion(); err != nil {
		return err
	}
	if err := log.OutputStartTime(started.UnixMilli()); err != nil {
		return err
	}
	if err := log.OutputLegend(); err != nil {
		return err
	}
	begin, found := firstSecond(r)
	if !found {
		return nil
	}
	ms := func(at int64) int64 { return (at - begin) / int64(time.Millisecond) }
	for i := range r.Tests {
		t := &r.Tests[i]
		for _, s := range t.Measured.Seconds {
			h, err := hdrhistogram.Decode(s.Encoded)
			if err != nil {
				return fmt.Errorf("test %s: read the latency of a second: %w", t.Name, err)
			}
			tag := t.Name + "/" + phaseTag(t.Measured.Phases[s.Phase].Name, s.Phase)
			if s.UnderFault {
				tag += "/under-fault"
			}
			h.SetTag(tag)
			h.SetStartTimeMs(ms(s.Begin))
			h.SetEndTimeMs(ms(s.Begin) + time.Second.Milliseconds())
			if err := log.OutputIntervalHistogram(h); err != nil {
				return fmt.Errorf("test %s: write the latency of a second: %w", t.Name, err)
			}
		}
	}
	return nil
}

// phaseTag is the name of a phase, or its number from 1 if the name cannot be part of a tag.
func phaseTag(name string, place int) string {
	if report.NamesFiles(name) {
		return name
	}
	return fmt.Sprint(place + 1)
}

// firstSecond is when the first of the row's seconds begins.
func firstSecond(r *report.Row) (begin int64, found bool) {
	for i := range r.Tests {
		if all := r.Tests[i].Measured.Seconds; len(all) > 0 && (!found || all[0].Begin < begin) {
			begin, found = all[0].Begin, true
		}
	}
	return begin, found
}
