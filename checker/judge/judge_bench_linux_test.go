package judge

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// generator writes the history of workers that use right locks in turns. While one holds, the next one already waits.
type generator struct {
	out  *bufio.Writer
	line []byte
	now  int64
	n    int64
	seq  uint64
	err  error
}

func (g *generator) write(op history.Op) {
	g.now += 1000
	op.Time, op.Index = g.now, g.n
	g.n++
	g.line = history.AppendLine(g.line[:0], &op)
	if _, err := g.out.Write(g.line); err != nil && g.err == nil {
		g.err = err
	}
}

// generate writes a history of at least so many lines, all by lockers of the given number of locks with four workers
// each. Its memory does not depend on how many lines it writes.
func generate(path string, lines int64, locks int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	const workers = 4
	g := &generator{out: bufio.NewWriterSize(f, 1<<20)}
	type state struct {
		name    string
		clients [workers]string
		asked   [workers]int64
		round   int64
	}
	all := make([]state, locks)
	for i := range all {
		all[i].name = "lock" + strconv.Itoa(i)
		for w := range workers {
			all[i].clients[w] = "c" + strconv.Itoa(i*workers+w)
		}
	}
	for g.n < lines && g.err == nil {
		for i := range all {
			l := &all[i]
			op := func(w int, typ history.Type, f string) history.Op {
				return history.Op{Client: l.clients[w], Process: int64(i*workers + w), Type: typ, F: f, Lock: l.name, Grant: l.asked[w]}
			}
			holder, next := int(l.round%workers), int((l.round+1)%workers)
			if l.round == 0 {
				l.asked[holder]++
				g.write(op(holder, history.Invoke, history.Acquire))
			}
			token := history.Some(uint64(l.round + 1))
			granted := op(holder, history.OK, history.Acquire)
			granted.Token = token
			g.write(granted)
			l.asked[next]++
			g.write(op(next, history.Invoke, history.Acquire))
			for n, f := range []string{history.Read, history.Write} {
				r := op(holder, history.Invoke, f)
				r.Request, r.Token = int64(n+1), token
				if f == history.Write {
					r.Base = history.Some(uint64(l.round))
				}
				g.write(r)
				g.seq++
				r.Type, r.Seq, r.Version = history.Apply, g.seq, history.Some(uint64(l.round)+uint64(n))
				g.write(r)
				r.Type, r.Seq = history.OK, 0
				g.write(r)
			}
			g.write(op(holder, history.Invoke, history.Release))
			g.write(op(holder, history.OK, history.Release))
			l.round++
		}
	}
	if g.err != nil {
		return g.err
	}
	return g.out.Flush()
}

// BenchmarkFile judges 20 million lines from disk, of 10 million operations: seconds, and the most memory that the
// process had.
func BenchmarkFile(b *testing.B) {
	path := filepath.Join(b.TempDir(), "history.jsonl")
	const lines = 20_000_000
	must.Succeed(b, generate(path, lines, 25))
	for b.Loop() {
		r, err := File(path, checker.Options{StuckAfter: 1e9})
		if err != nil {
			b.Fatal(err)
		}
		if r.Exclusion.Verdict != checker.Valid || r.Data.Verdict != checker.Valid || r.Counts.Grants < lines/10 {
			b.Fatalf("%+v", r)
		}
	}
	b.ReportMetric(float64(b.N*lines)/b.Elapsed().Seconds(), "lines/s")
	var used syscall.Rusage
	must.Succeed(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	b.ReportMetric(float64(used.Maxrss)/1024, "peak-MiB") // Linux counts KiB
}
