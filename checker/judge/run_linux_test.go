package judge

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// overlapping are the lines of two clients that hold one lock at once, by client.
func overlapping() map[string][]history.Op {
	all := map[string][]history.Op{}
	at := int64(0)
	for _, f := range []string{history.Acquire, history.Release} {
		for process, client := range []string{"c1", "c2"} {
			for _, typ := range []history.Type{history.Invoke, history.OK} {
				at++
				all[client] = append(all[client], history.Op{Time: at, Client: client, Process: int64(process), Type: typ, F: f, Lock: "a", Grant: 1})
			}
		}
	}
	return all
}

// crashedRun makes the directory of a run that was killed while the named tests were under way, with their streams.
func crashedRun(t *testing.T, tests ...string) results.Saved {
	t.Helper()
	d, err := results.Create(t.TempDir(), "partition", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	run := results.Run{Format: results.Format, Status: results.Incomplete, Drivers: []results.Driver{{Name: "d", Status: results.NotRun}}}
	for _, name := range tests {
		run.Tests = append(run.Tests, results.Test{Name: name, Driver: "d", Status: results.NotRun})
		must.Succeed(t, os.MkdirAll(d.Streams(name), 0o755))
		for client, ops := range overlapping() {
			r, err := recorder.Create(stream(d, name, client))
			if err != nil {
				t.Fatal(err)
			}
			for i := range ops {
				must.Succeed(t, r.Append(&ops[i]))
			}
			must.Succeed(t, r.Close())
		}
	}
	must.Succeed(t, d.WriteRun(&run))
	return results.Saved{Dir: d, Run: run}
}

func stream(d results.Dir, test, client string) string {
	return filepath.Join(d.Streams(test), client+recorder.Extension)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	must.Succeed(t, os.WriteFile(path, []byte(text), 0o600))
}

// files are the contents of all files below a directory.
func files(t *testing.T, dir results.Dir) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(string(dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// exclusions are the verdicts on exclusion, by test.
func exclusions(s results.Saved) map[string]checker.Verdict {
	all := map[string]checker.Verdict{}
	for _, v := range s.Verdicts.Tests {
		all[v.Test] = v.Result.Exclusion.Verdict
	}
	return all
}

// TestRunJudgesBesideDeadStreams has a stream whose writer died as it made it, and one without a header.
func TestRunJudgesBesideDeadStreams(t *testing.T) {
	s := crashedRun(t, "whole", "empty", "headless")
	put(t, stream(s.Dir, "empty", "c3"), "")
	put(t, stream(s.Dir, "headless", "c3"), strings.Repeat("x", 10000))
	for range 2 { // and again, now that there are histories
		must.Succeed(t, Run(string(s.Dir)))
		got, err := results.Load(string(s.Dir))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]checker.Verdict{"whole": checker.Invalid, "empty": checker.Invalid, "headless": checker.Invalid}
		if v := exclusions(got); !maps.Equal(v, want) {
			t.Errorf("verdicts %v", v)
		}
		for i, note := range []string{"", "c3.stream: its writer died as it made it", "c3.stream: it is damaged: it does not begin as a stream does"} {
			test := got.Run.Tests[i]
			if test.Status != results.Incomplete || test.Reason == "" {
				t.Errorf("%s is %s: %s", test.Name, test.Status, test.Reason)
			}
			if note == "" && len(test.Notes) > 0 || note != "" && (len(test.Notes) != 1 || !strings.HasPrefix(test.Notes[0], note)) {
				t.Errorf("%s: notes %q, want %q", test.Name, test.Notes, note)
			}
		}
	}
	if _, err := os.Stat(stream(s.Dir, "headless", "c3")); err != nil {
		t.Errorf("what is damaged was removed: %v", err)
	}
}

// TestRunJudgesBesideWhatCannotBeJudged damages a stream without which the others make no history.
func TestRunJudgesBesideWhatCannotBeJudged(t *testing.T) {
	s := crashedRun(t, "lacking", "whole")
	put(t, stream(s.Dir, "lacking", "c1"), strings.Repeat("x", 10000))
	r, err := recorder.Create(stream(s.Dir, "lacking", "resource"))
	if err != nil {
		t.Fatal(err)
	}
	served := history.Op{Time: 9, Client: "c1", Type: history.Apply, F: history.Read, Lock: "a", Grant: 1, Request: 1, Seq: 1, Version: history.Some(uint64(0))}
	must.Succeed(t, errors.Join(r.Append(&served), r.Close()))
	must.Succeed(t, Run(string(s.Dir)))
	got, err := results.Load(string(s.Dir))
	if err != nil {
		t.Fatal(err)
	}
	if v := exclusions(got); !maps.Equal(v, map[string]checker.Verdict{"whole": checker.Invalid}) {
		t.Errorf("verdicts %v", v)
	}
	if test := got.Run.Tests[0]; test.Status != results.Incomplete || !slices.ContainsFunc(test.Notes, func(n string) bool { return strings.Contains(n, "was not judged") }) {
		t.Errorf("%s is %s: %q", test.Name, test.Status, test.Notes)
	}
}

// TestADamagedLineCostsOneTest damages a line of a complete test's history. A repaired one is judged again.
func TestADamagedLineCostsOneTest(t *testing.T) {
	for name, damage := range map[string]struct{ from, to, says string }{
		"no JSON":        {`"ok","f":"release"`, `"ok","f"release"`, "history/b.jsonl is damaged and was not judged: line 6: column "},
		"a forged line":  {`"ok","f":"release"`, `"fail","f":"acquire"`, "history/b.jsonl is damaged and was not judged: line 6: fail of acquire does not end the call"},
		"a forged grant": {`"grant":1`, `"grant":2`, "history/b.jsonl is damaged and was not judged: line 2: "},
	} {
		t.Run(name, func(t *testing.T) {
			s := crashedRun(t, "a", "b", "c")
			must.Succeed(t, Run(string(s.Dir)))
			before, err := results.Load(string(s.Dir))
			if err != nil {
				t.Fatal(err)
			}
			before.Run.Status = results.Complete
			for i := range before.Run.Tests {
				before.Run.Tests[i].Status, before.Run.Tests[i].Reason = results.Complete, ""
			}
			must.Succeed(t, s.Dir.WriteRun(&before.Run))
			b, err := os.ReadFile(s.Dir.History("b"))
			if err != nil {
				t.Fatal(err)
			}
			put(t, s.Dir.History("b"), strings.Replace(string(b), damage.from, damage.to, 1))
			must.Succeed(t, Run(string(s.Dir)))
			got, err := results.Load(string(s.Dir))
			if err != nil {
				t.Fatal(err)
			}
			if v := exclusions(got); !maps.Equal(v, map[string]checker.Verdict{"a": checker.Invalid, "b": checker.Unknown, "c": checker.Invalid}) {
				t.Errorf("verdicts %v", v)
			}
			r := got.Verdicts.On("b").Result
			for _, j := range []checker.Judgement{r.Exclusion, r.Data, r.Liveness} {
				if j.Verdict != checker.Unknown || !strings.HasPrefix(j.Reason, damage.says) {
					t.Errorf("%+v, want %s", j, damage.says)
				}
			}
			put(t, s.Dir.History("b"), string(b))
			must.Succeed(t, Run(string(s.Dir)))
			if got, err := results.Load(string(s.Dir)); err != nil || exclusions(got)["b"] != checker.Invalid {
				t.Errorf("repaired: %v, %v", exclusions(got), err)
			}
		})
	}
}

// TestRunKeepsVerdictsThatNothingCouldGiveAgain removes a history that was judged.
func TestRunKeepsVerdictsThatNothingCouldGiveAgain(t *testing.T) {
	s := crashedRun(t, "a", "b")
	must.Succeed(t, Run(string(s.Dir)))
	must.Succeed(t, os.Remove(s.Dir.History("b")))
	before := files(t, s.Dir)
	err := Run(string(s.Dir))
	var input *InputError
	if !errors.As(err, &input) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "b.jsonl is missing") || !strings.Contains(err.Error(), "put it back") {
		t.Errorf("said %v", err)
	}
	if !maps.Equal(files(t, s.Dir), before) {
		t.Error("it changed files")
	}
	// Without the verdict only the test's status tells that there was a history.
	must.Succeed(t, os.Remove(s.Dir.File(results.VerdictFile)))
	s.Run.Tests[1].Status = results.Complete
	must.Succeed(t, s.Dir.WriteRun(&s.Run))
	if err := Run(string(s.Dir)); !errors.As(err, &input) || !strings.Contains(err.Error(), "b.jsonl is missing") {
		t.Errorf("said %v", err)
	}
}

// TestRunNeedsNoVerdicts judges a run whose verdict.json is damaged, or of another format.
func TestRunNeedsNoVerdicts(t *testing.T) {
	for _, text := range []string{"{", `{"format": 9}`} {
		s := crashedRun(t, "a")
		put(t, s.Dir.File(results.VerdictFile), text)
		if err := Run(string(s.Dir)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := results.Load(string(s.Dir)); err != nil || exclusions(got)["a"] != checker.Invalid {
			t.Errorf("%s: %+v, %v", text, got.Verdicts, err)
		}
	}
}

// TestRunTouchesNothingOutsideItsFiles has names by which the run's own directory would be that of a test's streams.
func TestRunTouchesNothingOutsideItsFiles(t *testing.T) {
	for _, name := range []string{".", "..", "a/.."} {
		s := crashedRun(t, "a")
		s.Run.Tests = append(s.Run.Tests, results.Test{Name: name, Driver: "d"})
		must.Succeed(t, s.Dir.WriteRun(&s.Run))
		before := files(t, s.Dir)
		var input *InputError
		if err := Run(string(s.Dir)); !errors.As(err, &input) || !strings.Contains(err.Error(), "is no name of a file") {
			t.Errorf("%s: %v", name, err)
		}
		if !maps.Equal(files(t, s.Dir), before) {
			t.Errorf("%s: it changed files", name)
		}
	}
}

// TestRunTellsInputFromOutput wants an *InputError only of what cannot be read.
func TestRunTellsInputFromOutput(t *testing.T) {
	var input *InputError
	s := crashedRun(t, "a")
	must.Succeed(t, os.Remove(s.Dir.File(results.HistoryDir)))
	if err := Run(string(s.Dir)); err == nil || errors.As(err, &input) {
		t.Errorf("a history that cannot be written: %v", err)
	}
	for name, path := range map[string]string{"no file": filepath.Join(t.TempDir(), "none"), "a directory": t.TempDir()} {
		if _, err := File(path, checker.Options{}); !errors.As(err, &input) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
