package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/compare"
)

// hostile is text that would steer a terminal, in a form that JSON takes: escape sequences, lines, a NUL, and what
// turns text around.
const hostile = "x\x1b[31m\r\ny\x00\u009b2J\u202ez"

// hostileHistory is one in which every name is hostile; two clients hold one lock at once.
func hostileHistory() string {
	name := func(s string) string { return strconv.QuoteToASCII(s) }
	c1, c2, lock := name("c1"+hostile), name("c2"+hostile), name("a"+hostile)
	var b strings.Builder
	line := func(at int, client string, process int, typ, f string) {
		b.WriteString(`{"time":` + strconv.Itoa(at) + `,"client":` + client + `,"process":` + strconv.Itoa(process) + `,"type":"` + typ + `","f":` + f + `}` + "\n")
	}
	fault := name("partition"+hostile) + `,"value":` + name("c1"+hostile)
	line(1, `"nemesis"`, -1, "invoke", fault)
	line(2, `"nemesis"`, -1, "ok", fault)
	at := 3
	for _, f := range []string{"acquire", "release"} {
		for process, client := range []string{c1, c2} {
			for _, typ := range []string{"invoke", "ok"} {
				line(at, client, process, typ, `"`+f+`","lock":`+lock+`,"grant":1`)
				at++
			}
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), `\x1b`, "\\u001b"), `\x00`, "\\u0000")
}

// TestCheckPrintsNothingThatSteers checks hostile histories, alone and in a run.
func TestCheckPrintsNothingThatSteers(t *testing.T) {
	dir := runOf(t, hostileHistory())
	file := filepath.Join(t.TempDir(), "h\x1b[2J.jsonl")
	must.Succeed(t, os.WriteFile(file, []byte(hostileHistory()), 0o600))
	for _, args := range [][]string{{"check", file}, {"check", file, "--explain"}, {"check", dir, "--explain"}} {
		var out, said bytes.Buffer
		if code := program(t.Context(), nil, &out, &said, args); code != exitViolation {
			t.Errorf("%q: exit code %d: %s", args, code, &said)
		}
		text := out.String() + said.String()
		for _, word := range []string{"was granted", "c1x", "partition"} {
			if !strings.Contains(text, word) {
				t.Errorf("%q does not say %q: %q", args, word, text)
			}
		}
		if i := strings.IndexAny(text, "\x1b\r\x00\u009b\u202e"); i >= 0 || strings.Contains(text, "\ny") {
			t.Errorf("%q prints what steers a terminal: %q", args, text)
		}
	}
}

// TestReasonsOfAFileAreSafeToPrint has a reason that names a fault of the history.
func TestReasonsOfAFileAreSafeToPrint(t *testing.T) {
	v := results.TestVerdict{Test: "h.jsonl"}
	v.Result.Liveness = checker.Judgement{Verdict: checker.Unknown, Reason: "partition" + hostile + " was not healed"}
	var out bytes.Buffer
	if err := printFile(&out, &v, false, report.Options{Width: 100}); err != nil || !strings.Contains(out.String(), "liveness   unknown: partitionx [31m y 2J z was not healed\n") {
		t.Errorf("%q, %v", &out, err)
	}
}

// runOf makes the directory of a run with one history, which others may enter.
func runOf(t *testing.T, history string) string {
	t.Helper()
	out := t.TempDir()
	must.Succeed(t, os.Chmod(filepath.Dir(out), 0o755))
	d, err := results.Create(out, "partition", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := results.Run{
		Format: results.Format, Status: results.Complete, Started: time.Now(), Finished: time.Now(),
		Drivers: []results.Driver{{Name: "d", Status: results.Complete}},
		Tests:   []results.Test{{Name: "a", Driver: "d", Heeding: true, Status: results.Complete}},
	}
	must.Succeed(t, d.WriteRun(&r))
	must.Succeed(t, os.WriteFile(d.History("a"), []byte(history), 0o644))
	return string(d)
}

// asNobody does something with the rights of a user who owns nothing here, if this one may do everything.
func asNobody(t *testing.T, do func() error) (err error) {
	t.Helper()
	done := make(chan struct{})
	go func() { // the thread ends with the goroutine, because it stays locked
		defer close(done)
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			if err = unix.Setfsuid(65534); err != nil {
				return
			}
		}
		err = do()
	}()
	<-done
	return err
}

// TestTheSameInputHasTheSameExitCode cannot read a history, and then not write the verdicts.
func TestTheSameInputHasTheSameExitCode(t *testing.T) {
	dir := runOf(t, hostileHistory())
	file := filepath.Join(dir, results.HistoryDir, "a.jsonl")
	must.Succeed(t, os.Chmod(file, 0))
	code := func(do func() error) int {
		t.Helper()
		code, said := exitOf(asNobody(t, do))
		if said == nil || !strings.Contains(said.Error(), "permission denied") {
			t.Errorf("said %v", said)
		}
		return code
	}
	for name, do := range map[string]func() error{
		"check of the file": func() error { return checked(file) },
		"check of the run":  func() error { return checked(dir) },
		"report":            func() error { _, err := compare.Read(dir); return usage(err) },
	} {
		if c := code(do); c != exitUsage {
			t.Errorf("%s: exit code %d", name, c)
		}
	}
	for path, mode := range map[string]os.FileMode{file: 0o644, dir: 0o555} {
		must.Succeed(t, os.Chmod(path, mode))
	}
	if c := code(func() error { return checked(dir) }); c != exitInternal {
		t.Errorf("verdicts that cannot be written: exit code %d", c)
	}
}

// checked is the error of `lockbench check PATH`.
func checked(path string) error {
	cmd := newCheckCommand() // not by the root, which would run it in another goroutine
	addColorFlag(cmd)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetOut(io.Discard)
	cmd.SetErr(io.Discard)
	cmd.SetArgs([]string{path})
	return cmd.ExecuteContext(context.Background())
}
