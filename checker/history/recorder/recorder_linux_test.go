package recorder

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

func op(n int) *history.Op {
	return &history.Op{Time: int64(n), Client: "c1", Process: 3, Type: history.Invoke, F: history.Acquire, Lock: "lock-1", Grant: int64(n)}
}

// TestSurvivesSIGKILL records in a child that kills itself, and reads every op that was appended.
func TestSurvivesSIGKILL(t *testing.T) {
	const ops = 20000 // more than one step of reserved space
	path := filepath.Join(t.TempDir(), "w.stream")
	if os.Getenv("RECORDER_CHILD") != "" {
		r, err := Create(os.Getenv("RECORDER_CHILD"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range ops {
			must.Succeed(t, r.Append(op(i)))
		}
		copy(r.mem[r.used:], `{"index":0,"ti`) // a record torn by the kill
		must.Succeed(t, unix.Kill(os.Getpid(), unix.SIGKILL))
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSurvivesSIGKILL$")
	cmd.Env = append(os.Environ(), "RECORDER_CHILD="+path)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("child: %v\n%s", err, out)
	}
	lines, torn, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !torn {
		t.Error("the torn record was not reported")
	}
	if n := strings.Count(string(lines), "\n"); n != ops {
		t.Fatalf("%d ops survived, want %d", n, ops)
	}
	if want := string(history.AppendLine(nil, op(ops-1))); !strings.HasSuffix(string(lines), want) {
		t.Fatalf("the last line is not %s", want)
	}
}

func TestReadWhileWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.stream")
	next := follow(filepath.Dir(path), Subscription{})
	if ops, err := next(); err != nil || len(ops) > 0 {
		t.Fatalf("a stream that does not exist yet: %d ops, %v", len(ops), err)
	}
	r, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		must.Succeed(t, r.Append(op(i+1)))
		lines, torn, err := Read(path)
		if err != nil || torn || strings.Count(string(lines), "\n") != i+1 {
			t.Fatalf("after %d ops: %q, torn %v, %v", i+1, lines, torn, err)
		}
		if i == 0 {
			continue // the feed gets two at once, then one
		}
		if ops, err := next(); err != nil || len(ops) != 3-i || ops[len(ops)-1].Grant != int64(i+1) {
			t.Fatalf("after %d ops the feed has %+v, %v", i+1, ops, err)
		}
		if ops, err := next(); err != nil || len(ops) > 0 {
			t.Fatalf("nothing new: %d ops, %v", len(ops), err)
		}
	}
	must.Succeed(t, r.Close())
	if lines, torn, err := Read(path); err != nil || torn || strings.Count(string(lines), "\n") != 3 {
		t.Fatalf("after close: %q, torn %v, %v", lines, torn, err)
	}
}

func TestReadRefusesOtherFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.stream")
	magic := magic()
	for _, content := range []string{"", "short", strings.Repeat("x", 2*header), string(magic[:]) + strings.Repeat("\xff", header)} {
		must.Succeed(t, os.WriteFile(path, []byte(content), 0o600))
		if _, _, err := Read(path); err == nil {
			t.Errorf("%.10q was read as a stream", content)
		}
		if ops, _ := follow(filepath.Dir(path), Subscription{})(); len(ops) > 0 { // it reads what is being made, so it does not mind what is short
			t.Errorf("%.10q has %d ops", content, len(ops))
		}
	}
}

// TestFullDisk records into a file system of its own until it is full: the answer is an error, not SIGBUS.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		// Only root may mount; the same path is taken at the stream's largest size.
		t.Logf("cannot mount a small file system (%v): the limit of a stream stands in for the full disk", err)
		r, err := Create(filepath.Join(dir, "w.stream"))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.reserve(window + 1); err == nil {
			t.Fatal("a stream grew past its window")
		}
		return
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	r, err := Create(filepath.Join(dir, "w.stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range 100_000 {
		if err = r.Append(op(i)); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("a full disk gave %v", err)
	}
}

// BenchmarkAppend must stay under a microsecond.
func BenchmarkAppend(b *testing.B) {
	r, err := Create(filepath.Join(b.TempDir(), "w.stream"))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	o := op(12345)
	i := 0
	for b.Loop() {
		if i++; i == 1_000_000 { // a stream holds five million ops: start anew in time
			b.StopTimer()
			must.Succeed(b, r.Close())
			if r, err = Create(filepath.Join(b.TempDir(), fmt.Sprintf("w%d.stream", b.N))); err != nil {
				b.Fatal(err)
			}
			i = 0
			b.StartTimer()
		}
		must.Succeed(b, r.Append(o))
	}
}
