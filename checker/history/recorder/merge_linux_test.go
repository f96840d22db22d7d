package recorder

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// streamOf records ops into a stream.
func streamOf(t *testing.T, path string, numbers ...int) {
	t.Helper()
	r, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		must.Succeed(t, r.Append(op(n)))
	}
	must.Succeed(t, r.Close())
}

func put(t *testing.T, path, text string) {
	t.Helper()
	must.Succeed(t, os.WriteFile(path, []byte(text), 0o600))
}

// grants are the grants of a history, in its order.
func grants(t *testing.T, path string) (all []int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ops, err := decodeInto(nil, history.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		all = append(all, op.Grant)
	}
	return all
}

// inUse is how many bytes are in use. Without a collection it would count garbage, too, and a slow machine has more.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMergingKeepsNothing merges many lines, and looks at what is in use: nothing that grows with them is kept.
func TestMergingKeepsNothing(t *testing.T) {
	const lines = 100_000
	dir := filepath.Join(t.TempDir(), "streams")
	must.Succeed(t, os.Mkdir(dir, 0o755))
	path := filepath.Join(filepath.Dir(dir), "h.jsonl")
	var numbers [2][]int
	for n := range lines {
		numbers[n%2] = append(numbers[n%2], n+1)
	}
	streamOf(t, filepath.Join(dir, "a.stream"), numbers[0]...)
	streamOf(t, filepath.Join(dir, "b.stream"), numbers[1]...)
	before := inUse()
	most := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		highest := uint64(0)
		for {
			select {
			case <-stop:
				most <- highest
				return
			default:
				highest = max(highest, inUse())
			}
		}
	}()
	_, err := MergeInto(path, dir)
	close(stop)
	highest := <-most
	if err != nil || highest > before+(8<<20) {
		t.Errorf("%d bytes for %d lines, %v", highest-min(highest, before), lines, err)
	}
	got := grants(t, path)
	if len(got) != lines || !slices.IsSorted(got) {
		t.Errorf("%d lines", len(got))
	}
}

func gone(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

// TestMergeIntoRemovesItsStreamsOnly merges from a directory whose name means something in a pattern, and in which
// something lies that is no stream.
func TestMergeIntoRemovesItsStreamsOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "streams[1]*")
	must.Succeed(t, os.Mkdir(dir, 0o755))
	path := filepath.Join(filepath.Dir(dir), "h.jsonl")
	streamOf(t, filepath.Join(dir, "a.stream"), 1, 3)
	streamOf(t, filepath.Join(dir, "b.stream"), 2)
	other := filepath.Join(dir, "run.json")
	put(t, other, "precious")
	notes, err := MergeInto(path, dir)
	if err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	if got := grants(t, path); !slices.Equal(got, []int64{1, 2, 3}) {
		t.Errorf("merged %v", got)
	}
	if gone(other) || !gone(filepath.Join(dir, "a.stream")) || !gone(filepath.Join(dir, "b.stream")) {
		t.Error("not the streams, and they alone, were removed")
	}
	must.Succeed(t, os.Remove(other))
	if _, err := MergeInto(path, dir); err != nil || !gone(dir) {
		t.Errorf("the empty directory stays: %v", err)
	}
	if got := grants(t, path); len(got) != 3 {
		t.Errorf("without streams the history became %v", got)
	}
}

// TestMergeIntoKeepsTheLongerHistory merges what a crash left that came while the streams were removed, and one that
// came while the history was written.
func TestMergeIntoKeepsTheLongerHistory(t *testing.T) {
	for name, tt := range map[string]struct{ history, streams, want []int }{
		"streams half removed": {[]int{1, 2, 3}, []int{2}, []int{1, 2, 3}},
		"history half written": {[]int{1}, []int{1, 2, 3}, []int{1, 2, 3}},
	} {
		dir := filepath.Join(t.TempDir(), "streams")
		must.Succeed(t, os.Mkdir(dir, 0o755))
		path := filepath.Join(filepath.Dir(dir), "h.jsonl")
		var text []byte
		for _, n := range tt.history {
			text = history.AppendLine(text, op(n))
		}
		put(t, path, string(text))
		streamOf(t, filepath.Join(dir, "a.stream"), tt.streams...)
		if _, err := MergeInto(path, dir); err != nil {
			t.Fatal(err)
		}
		var want []int64
		for _, n := range tt.want {
			want = append(want, int64(n))
		}
		if got := grants(t, path); !slices.Equal(got, want) || !gone(dir) {
			t.Errorf("%s: %v", name, got)
		}
		if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
			t.Errorf("%s: %v is left, %v", name, left, err)
		}
	}
}

// TestMergeUnwritten merges streams whose writers died as they made them: the files hold nothing, so nothing is lost.
func TestMergeUnwritten(t *testing.T) {
	for name, merge := range map[string]func(path, dir string) ([]string, error){
		"merge":   MergeInto,
		"recover": func(path, dir string) ([]string, error) { r, err := Recover(path, dir); return r.Notes, err },
	} {
		dir := filepath.Join(t.TempDir(), "streams")
		must.Succeed(t, os.Mkdir(dir, 0o755))
		path := filepath.Join(filepath.Dir(dir), "h.jsonl")
		put(t, filepath.Join(dir, "a.stream"), "")
		put(t, filepath.Join(dir, "b.stream"), strings.Repeat("\x00", step))
		streamOf(t, filepath.Join(dir, "c.stream"), 7)
		notes, err := merge(path, dir)
		want := []string{"a.stream: " + ErrUnwritten.Error(), "b.stream: " + ErrUnwritten.Error()}
		if err != nil || !slices.Equal(notes, want) {
			t.Errorf("%s: %q, %v", name, notes, err)
		}
		if got := grants(t, path); !slices.Equal(got, []int64{7}) || !gone(dir) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestRecoverKeepsWhatIsDamaged leaves out what cannot be read, and where it is; a run that goes on must not do
// without it.
func TestRecoverKeepsWhatIsDamaged(t *testing.T) {
	magic := magic()
	headless := "no header" + strings.Repeat("x", 2*header)
	short := string(magic[:]) + "\xff" + strings.Repeat("\x00", header)
	rubbish := string(magic[:]) + "\x08" + strings.Repeat("\x00", header-9) + "rubbish\n"
	for name, text := range map[string]string{"headless": headless, "short": short, "rubbish": rubbish} {
		dir := filepath.Join(t.TempDir(), "streams")
		must.Succeed(t, os.Mkdir(dir, 0o755))
		path, bad := filepath.Join(filepath.Dir(dir), "h.jsonl"), filepath.Join(dir, "a.stream")
		put(t, bad, text)
		streamOf(t, filepath.Join(dir, "c.stream"), 7)
		var unread *StreamError
		if _, err := MergeInto(path, dir); !errors.As(err, &unread) || unread.Path != bad || !errors.Is(err, ErrDamaged) || !gone(path) {
			t.Errorf("%s: merged with %v", name, err)
		}
		for range 2 {
			r, err := Recover(path, dir)
			if err != nil || !r.Lacking || len(r.Notes) != 1 || !strings.HasPrefix(r.Notes[0], "a.stream: it is damaged") {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
			if got := grants(t, path); !slices.Equal(got, []int64{7}) {
				t.Errorf("%s: %v", name, got)
			}
			if b, err := os.ReadFile(bad); err != nil || string(b) != text || gone(filepath.Join(dir, "c.stream")) {
				t.Errorf("%s: a stream was touched: %v", name, err)
			}
		}
		must.Succeed(t, os.Remove(bad))
		streamOf(t, bad, 5)
		if r, err := Recover(path, dir); err != nil || r.Lacking || len(r.Notes) > 0 {
			t.Errorf("%s: repaired: %+v, %v", name, r, err)
		}
		if got := grants(t, path); !slices.Equal(got, []int64{5, 7}) || !gone(dir) {
			t.Errorf("%s: repaired: %v", name, got)
		}
	}
}

func TestStreamsThatAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "a.stream")
	must.Succeed(t, unix.Mkfifo(pipe, 0o600))
	for name, err := range map[string]error{
		"merge":   func() error { _, err := MergeInto(filepath.Join(dir, "h.jsonl"), dir); return err }(),
		"recover": func() error { _, err := Recover(filepath.Join(dir, "h.jsonl"), dir); return err }(),
	} {
		var unread *StreamError
		if !errors.As(err, &unread) || !strings.Contains(err.Error(), "is no regular file") || gone(pipe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFullDiskSaysWhatToDo wants the cause and the advice, and nothing left of what could not be made.
func TestFullDiskSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1536k"); err != nil {
		t.Skip("SKIPPED, NOT PROVEN: only root may mount a small file system: ", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	full := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "make room, or choose another disk with --out") {
			t.Errorf("%s: %v", what, err)
		}
	}
	first := filepath.Join(dir, "a.stream")
	r, err := Create(first)
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(dir, "b.stream")
	_, err = Create(second)
	full("create", err)
	if !gone(second) {
		t.Error("a stream that could not be made is left")
	}
	for n := 1; err == nil || n == 1; n++ {
		err = r.Append(op(n))
	}
	full("append", err)
	must.Succeed(t, r.Close())
	_, err = MergeInto(filepath.Join(dir, "h.jsonl"), dir)
	full("merge", err)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || gone(first) {
		t.Errorf("not the stream, and it alone, is left: %v, %v", left, err)
	}
}
