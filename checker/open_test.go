package checker

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
)

// openHistory writes histories of which much stays open.
type openHistory struct {
	ops      []history.Op
	now      int64
	seq      uint64
	versions uint64
	asked    map[int]int64
}

func (h *openHistory) add(process int, typ history.Type, f string, more func(*history.Op)) {
	op := history.Op{
		Index: int64(len(h.ops)), Time: h.now, Client: fmt.Sprintf("c%d", process), Process: int64(process), Type: typ, F: f, Lock: "l", Grant: h.asked[process],
	}
	if more != nil {
		more(&op)
	}
	h.ops = append(h.ops, op)
}

func (h *openHistory) grant(process int, token uint64) {
	h.asked[process]++
	h.add(process, history.Invoke, history.Acquire, nil)
	h.add(process, history.OK, history.Acquire, func(op *history.Op) {
		if token > 0 {
			op.Token = history.Some(token)
		}
	})
}

// write writes with a base that is right, so that nothing is lost.
func (h *openHistory) write(process int, request int64) {
	base := history.Some(h.versions)
	h.versions++
	h.seq++
	h.add(process, history.Invoke, history.Write, func(op *history.Op) { op.Request, op.Base = request, base })
	h.add(process, history.Apply, history.Write, func(op *history.Op) {
		op.Request, op.Seq, op.Version = request, h.seq, history.Some(h.versions)
	})
	h.add(process, history.OK, history.Write, func(op *history.Op) { op.Request = request })
}

func (h *openHistory) fault(typ history.Type, f string, fault *history.Fault) {
	h.ops = append(h.ops, history.Op{
		Index: int64(len(h.ops)), Time: h.now, Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f, Fault: fault,
	})
}

// openHistories are histories with n things that nothing ends.
var openHistories = []struct {
	name  string
	write func(h *openHistory, n int)
	want  func(n int) Counts
}{
	{"four clients never release", func(h *openHistory, n int) {
		for i := range n {
			h.now++
			h.grant(i%4, 0)
		}
	}, func(n int) Counts { return Counts{Overlap: n - 1} }},
	{"four clients never release and write", func(h *openHistory, n int) {
		for i := range n {
			h.now++
			h.grant(i%4, uint64(i+1))
			h.write(i%4, 1)
		}
	}, func(n int) Counts { return Counts{Writes: n, Overlap: n - 1} }},
	{"four clients write with what is no longer theirs", func(h *openHistory, n int) {
		for i := range n {
			h.now++
			if i < 4 {
				h.grant(i, 0)
			}
			h.write(i%4, int64(i/4+1))
		}
	}, nil},
	{"clients that fall silent", func(h *openHistory, n int) {
		for i := range n {
			h.now++
			h.grant(i, uint64(i+1))
			h.write(i, 1)
		}
	}, func(n int) Counts { return Counts{Writes: n} }},
	{"grants at one stamp", func(h *openHistory, n int) {
		for i := range n {
			h.grant(i, uint64(n-i))
			h.write(i, 1)
		}
	}, nil},
	{"grants at one stamp of one process", func(h *openHistory, n int) {
		for i := range n {
			h.grant(1, uint64(i+1))
		}
	}, func(n int) Counts { return Counts{Overlap: n - 1} }},
	{"acquires that wait", func(h *openHistory, n int) {
		for i := range n {
			h.asked[i]++
			h.add(i, history.Invoke, history.Acquire, nil)
		}
		for i := range n {
			h.now++
			i = (i * 7919) % n
			h.add(i, history.OK, history.Acquire, nil)
			h.add(i, history.Invoke, history.Release, nil)
		}
	}, nil},
	{"refusals while many hold", func(h *openHistory, n int) {
		for i := range n {
			h.now++
			h.grant(i%4, 0)
		}
		h.fault(history.Invoke, "partition", nil)
		h.fault(history.OK, "heal", nil)
		for i := range n {
			h.now++
			h.asked[i%4]++
			h.add(i%4, history.Invoke, history.Acquire, nil)
			h.add(i%4, history.Fail, history.Acquire, nil)
		}
	}, func(n int) Counts { return Counts{Attempts: 2 * n, Overlap: n - 1} }},
	{"faults that nobody heals", func(h *openHistory, n int) {
		h.grant(1, 0)
		for i := range n {
			h.now++
			var f *history.Fault
			if i%2 > 0 {
				f = &history.Fault{Step: i, Hosts: []string{"c1"}}
			}
			h.fault(history.Invoke, "partition", f)
			h.fault([]history.Type{history.OK, history.Info}[i/2%2], "partition", f)
		}
	}, func(int) Counts { return Counts{Attempts: 1, Grants: 1} }},
}

func writeOpen(n int, write func(h *openHistory, n int)) []history.Op {
	h := &openHistory{now: 1, asked: map[int]int64{}}
	write(h, n)
	return h.ops
}

// inUse is how many bytes are in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestMemoryIsLinearInWhatIsOpen wants no more than a few thousand bytes for each of many things that stay open.
func TestMemoryIsLinearInWhatIsOpen(t *testing.T) {
	const n, each = 8000, 3000
	for _, tt := range openHistories {
		t.Run(tt.name, func(t *testing.T) {
			ops := writeOpen(n, tt.write)
			before := inUse()
			s := newStream(Options{StuckAfter: 1e9}, newRetain(), 0)
			feed(t, s, ops)
			s.sweep.finish()
			if used := inUse() - before; used > n*each {
				t.Errorf("%d bytes for each of %d", used/n, n)
			}
			r := s.sweep.judge()
			if got := r.Counts; tt.want != nil {
				want := tt.want(n)
				want.Attempts, want.Grants = max(n, want.Attempts), max(n, want.Grants)
				if want.Attempts == 2*n {
					want.Grants = n
				}
				if tt.name == "faults that nobody heals" {
					want = tt.want(n)
				}
				if howOften(got) != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
			runtime.KeepAlive(s)
		})
	}
}

// TestTooMuchIsRefused wants the line named that goes beyond the bound, whatever it is that stays open.
func TestTooMuchIsRefused(t *testing.T) {
	for _, tt := range openHistories {
		t.Run(tt.name, func(t *testing.T) {
			ops := writeOpen(1000, tt.write)
			few := newRetain()
			few.open = 400
			s := newStream(Options{}, few, 0)
			for i := range ops {
				err := s.Feed(&ops[i])
				if err == nil {
					continue
				}
				var line *history.LineError
				if !errors.As(err, &line) || line.Line != i+1 || !strings.Contains(err.Error(), "more than 400 acquires") {
					t.Errorf("line %d: %v", i+1, err)
				}
				return
			}
			t.Error("was accepted")
		})
	}
}

// TestLateLinesAreRefused has a line that is later than a history may be out of order.
func TestLateLinesAreRefused(t *testing.T) {
	ops := writeOpen(40, openHistories[0].write)
	late := script(t, "1 c9 9 acquire invoke 1")[0]
	late.Index, late.Time = int64(len(ops)), 0
	_, err := inSizes([]int{0, 8}, newRetain(), feeding(append(ops, late)), Options{})
	var line *history.LineError
	if !errors.As(err, &line) || line.Line != 81 || !strings.Contains(err.Error(), "by more than 8 lines") {
		t.Errorf("got %v", err)
	}
}

func feeding(ops []history.Op) func(func(*history.Op) error) error {
	return func(feed func(*history.Op) error) error {
		for i := range ops {
			if err := feed(&ops[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

// BenchmarkOpen judges histories with 100,000 things that nothing ends. It says how much memory the checker had at
// their end.
func BenchmarkOpen(b *testing.B) {
	const n = 100_000
	for _, tt := range openHistories {
		b.Run(tt.name, func(b *testing.B) {
			ops := writeOpen(n, tt.write)
			var used int64
			for b.Loop() {
				b.StopTimer()
				before := inUse()
				b.StartTimer()
				s := newStream(Options{StuckAfter: 1e9}, newRetain(), 0)
				feed(b, s, ops)
				s.sweep.finish()
				b.StopTimer()
				used = inUse() - before
				b.StartTimer()
				if _, err := Check(ops, Options{StuckAfter: 1e9}); err != nil {
					b.Fatal(err)
				}
				runtime.KeepAlive(s)
			}
			b.ReportMetric(float64(used)/(1<<20), "MiB")
		})
	}
}
