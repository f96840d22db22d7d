package recorder

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// follow subscribes to the streams in dir. next looks, and returns what it was given.
func follow(dir string, s Subscription) (next func() ([]history.Op, error)) {
	return subscribe(NewFeed(dir), s)
}

func subscribe(feed *Feed, s Subscription) (next func() ([]history.Op, error)) {
	var got []history.Op
	s.Take = func(_ string, ops []history.Op) { got = append(got, ops...) }
	feed.Subscribe(s)
	return func() ([]history.Op, error) {
		err := feed.Look()
		ops := got
		got = nil
		return ops, err
	}
}

// record appends cycles of one worker's acquire, read, write and release to a stream.
func record(t testing.TB, path string, cycles int) *Recorder {
	t.Helper()
	r, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	more(t, r, cycles)
	return r
}

func more(t testing.TB, r *Recorder, cycles int) {
	t.Helper()
	for i := range int64(cycles) {
		for k, f := range []string{history.Acquire, history.Read, history.Write, history.Release} {
			for _, typ := range []history.Type{history.Invoke, history.OK} {
				op := history.Op{Time: 1000*i + int64(k), Client: "c1", Type: typ, F: f, Lock: "lock-1", Grant: i + 1}
				if k == 1 || k == 2 {
					op.Request = int64(k)
				}
				if f == history.Write {
					op.Base, op.Version = history.Some(uint64(i)), history.Some(uint64(i+1))
				}
				if f == history.Release && typ == history.OK {
					op.Error = `"f":"acquire"` // no acquire
				}
				must.Succeed(t, r.Append(&op))
			}
		}
	}
}

// Everybody gets what they asked for: some functions or all, the workers' or all, from now on or from the beginning.
func TestFeedHandsOutWhatIsWanted(t *testing.T) {
	dir := t.TempDir()
	one := record(t, filepath.Join(dir, "c1.1.stream"), 5000) // more than a chunk
	record(t, filepath.Join(dir, "nemesis.stream"), 1)
	feed := NewFeed(dir)
	acquires := subscribe(feed, Subscription{F: []string{history.Acquire}, Workers: true})
	got := func(next func() ([]history.Op, error), want int, f ...string) {
		t.Helper()
		ops, err := next()
		if err != nil || len(ops) != want {
			t.Fatalf("%d ops, want %d, %v", len(ops), want, err)
		}
		for _, op := range ops {
			if len(f) > 0 && !slices.Contains(f, op.F) {
				t.Fatalf("unwanted: %+v", op)
			}
		}
	}
	got(acquires, 10000, history.Acquire)
	data := []string{history.Read, history.Write}
	requests := subscribe(feed, Subscription{F: data})
	all := subscribe(feed, Subscription{Past: true})
	got(requests, 4, data...) // the nemesis's stream was nobody's before
	got(all, 40008)
	got(acquires, 0)
	more(t, one, 1)
	got(all, 8)
	got(acquires, 2, history.Acquire)
	got(requests, 4, data...)
}

// A line that is longer than a chunk is one line all the same.
func TestFeedReadsLongLines(t *testing.T) {
	dir := t.TempDir()
	r := record(t, filepath.Join(dir, "c1.1.stream"), 1)
	long := history.Op{Client: "c1", Type: history.Fail, F: history.Acquire, Lock: "x", Grant: 2, Error: strings.Repeat("e", 2*chunk)}
	must.Succeed(t, r.Append(&long))
	ops, err := follow(dir, Subscription{})()
	if err != nil || len(ops) != 9 || len(ops[8].Error) != 2*chunk {
		t.Fatalf("%d ops, %v", len(ops), err)
	}
}

// What cannot be read ends the feed, and says so every time. An end ends only its own subscription.
func TestFeedGivesUp(t *testing.T) {
	dir := t.TempDir()
	feed := NewFeed(dir)
	end := feed.Subscribe(Subscription{Take: func(string, []history.Op) { t.Error("it was ended") }})
	next := subscribe(feed, Subscription{})
	end()
	record(t, filepath.Join(dir, "c1.1.stream"), 1)
	if ops, err := next(); len(ops) != 8 || err != nil {
		t.Fatalf("%d ops, %v", len(ops), err)
	}
	must.Succeed(t, os.Mkdir(filepath.Join(dir, "c2.1.stream"), 0o755))
	for range 2 {
		if ops, err := next(); len(ops) > 0 || err == nil || !strings.Contains(err.Error(), "c2.1.stream") {
			t.Fatalf("%d ops, %v", len(ops), err)
		}
	}
}

// BenchmarkFeed reads a second of 12 workers that grows in 20 looks, as a fault waits for attempts: "feed" for the
// meter, the online judge and that count together, "acquires" without the judge, and "each for itself" as every one
// of them would.
func BenchmarkFeed(b *testing.B) {
	const streams, looks, cycles = 12, 20, 50
	acquires := Subscription{F: []string{history.Acquire}, Workers: true}
	run := func(b *testing.B, feeds func(dir string) []func() ([]history.Op, error)) {
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			var recorders []*Recorder
			for i := range streams {
				recorders = append(recorders, record(b, filepath.Join(dir, fmt.Sprintf("c%d.stream", i)), 0))
			}
			all := feeds(dir)
			for range looks {
				for _, r := range recorders {
					more(b, r, cycles)
				}
				b.StartTimer()
				for _, next := range all {
					if _, err := next(); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
			}
			b.StartTimer()
		}
	}
	b.Run("feed", func(b *testing.B) {
		run(b, func(dir string) (all []func() ([]history.Op, error)) {
			feed := NewFeed(dir)
			return append(all, subscribe(feed, acquires), subscribe(feed, Subscription{}), subscribe(feed, acquires))
		})
	})
	b.Run("acquires", func(b *testing.B) {
		run(b, func(dir string) (all []func() ([]history.Op, error)) {
			feed := NewFeed(dir)
			return append(all, subscribe(feed, acquires), subscribe(feed, acquires))
		})
	})
	b.Run("each for itself", func(b *testing.B) {
		run(b, func(dir string) (all []func() ([]history.Op, error)) {
			whole := func() (ops []history.Op, err error) { // as attempts were counted once
				paths, err := Streams(dir, workers)
				for _, path := range paths {
					more, _, _ := Ops(path)
					ops = append(ops, more...)
				}
				return ops, err
			}
			return append(all, follow(dir, acquires), follow(dir, Subscription{}), whole)
		})
	})
}
