package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestLoadWhatWasSaved(t *testing.T) {
	d := create(t)
	run := Run{Format: Format, Scenario: "partition", Seed: 7, Started: started.UTC(), Tests: []Test{{Name: "redis-setnx+renew.unfenced.ignoring"}}}
	must.Succeed(t, d.WriteRun(&run))
	got, err := Load(string(d))
	if err != nil {
		t.Fatal(err)
	}
	if got.Judged || !reflect.DeepEqual(got.Run, run) {
		t.Errorf("after the first phase: %+v", got)
	}
	run.Status = Complete
	verdicts := Verdicts{Format: Format, Tests: []TestVerdict{{Test: run.Tests[0].Name, Result: checker.Result{
		Exclusion: checker.Judgement{Verdict: checker.Invalid, Reason: "<overlap>"},
	}}}}
	must.Succeed(t, errors.Join(d.WriteRun(&run), d.WriteVerdicts(&verdicts)))
	got, err = Load(string(d))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Judged || !reflect.DeepEqual(got.Run, run) || !reflect.DeepEqual(got.Verdicts, verdicts) {
		t.Errorf("after the last phase: %+v", got)
	}
}

func TestLoadErrors(t *testing.T) {
	good := fmt.Sprintf(`{"format":%d}`, Format)
	tests := []struct {
		name         string
		run, verdict string
		want         []string
	}{
		{"not a run", "", "", []string{"not the directory of a run", "no run.json"}},
		{"empty", " ", "", []string{"run.json:1:1", "unexpected end"}},
		{"torn", "{\n \"format\": 1,\n \"seed\"", "", []string{"run.json:3:", "unexpected end"}},
		{"garbage", "{\n \"format\": 1,\n x}", "", []string{"run.json:3:2", "invalid character 'x'"}},
		{"wrong type", "{\n \"format\": 1,\n \"seed\": \"one\"}", "", []string{"run.json:3:", "seed"}},
		{"wrong type of the whole", `[1, 2]`, "", []string{"run.json:1:", "an object was expected, not an array"}},
		{"wrong type of a list", `{"format": 1, "tests": {}}`, "", []string{"run.json:1:", "tests: an array was expected, not an object"}},
		{"fraction", `{"format": 1, "seed": 3.5}`, "", []string{"seed: a whole number from 0 on was expected, not the number 3.5"}},
		{"no time", `{"format": 1, "started": "yesterday"}`, "", []string{"run.json: ", "a time was expected"}},
		{"a number for a time", `{"format": 1, "started": 3}`, "", []string{"run.json: ", "a time was expected"}},
		{"bad verdict", good, `{"format": 1, "tests": 3}`, []string{"verdict.json:1:", "tests: an array was expected, not a number", "lockbench check", "writes it anew"}},
		{"verdict of another kind", good, `{"format": 1, "tests": [{"result": {"data": {"verdict": 3}}}]}`, []string{"verdict.json:1:", "verdict: a string was expected, not a number"}},
		{"verdict of another format", good, `{"format": 4}`, []string{"verdict.json has format 4", "lockbench check", "writes it anew"}},
		{"other format", `{"format":4,"seed":"what now"}`, "", []string{"run.json has format 4", "reads formats 1 to 3"}},
		{"no format", `{}`, "", []string{"has format 0"}},
		{"driver outside", `{"format":1,"drivers":[{"name":"../../etc/passwd"}]}`, "", []string{"driver 1", "no name of a file"}},
		{"driver of a test outside", `{"format":1,"tests":[{"name":"a","driver":"../b"}]}`, "", []string{"test 1", "driver", "no name of a file"}},
		{"test that is the directory above", `{"format":1,"tests":[{"name":".."}]}`, "", []string{`test 1: ".." is no name of a file`}},
		{"test that is the directory", `{"format":1,"tests":[{"name":"a"},{"name":"."}]}`, "", []string{`test 2: "." is no name of a file`}},
		{"driver of a test that is the directory above", `{"format":1,"tests":[{"name":"a","driver":".."}]}`, "", []string{`test 1: the driver ".." is no name of a file`}},
		{"driver that is the directory above", `{"format":1,"drivers":[{"name":".."}]}`, "", []string{`driver 1: ".." is no name of a file`}},
		{"test outside", `{"format":1,"tests":[{"name":"../../etc/passwd"}]}`, "", []string{"test 1", "no name of a file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{RunFile: tt.run, VerdictFile: tt.verdict} {
				if text == "" {
					continue
				}
				must.Succeed(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			}
			_, err := Load(dir)
			wantError(t, err, append(tt.want, dir)...)
			wantNoGo(t, err)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "nowhere"))
	wantError(t, err, "nowhere", "no such file")
}

func TestLoadAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	must.Succeed(t, os.WriteFile(file, []byte("{}"), 0o600))
	_, err := Load(file)
	wantError(t, err, file, "is a file")
}

// wantNoGo wants nothing of the program's inside in what is told.
func wantNoGo(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, word := range []string{" json: ", "Go value", "Go struct", "Unmarshal"} {
		if strings.Contains(err.Error(), word) {
			t.Errorf("%q is about Go", err)
		}
	}
}

func TestLoadToJudgeNeedsNoVerdicts(t *testing.T) {
	for _, verdict := range []string{"", "{", `{"format": 9}`, `{"format": 1, "tests": 3}`} {
		d := create(t)
		must.Succeed(t, d.WriteRun(&Run{Format: Format, Seed: 7}))
		must.Succeed(t, os.WriteFile(d.File(VerdictFile), []byte(verdict), 0o600))
		s, err := LoadToJudge(string(d))
		if err != nil || s.Run.Seed != 7 || s.Judged || len(s.Verdicts.Tests) > 0 {
			t.Errorf("%q: %+v, %v", verdict, s, err)
		}
	}
	d := create(t)
	must.Succeed(t, os.WriteFile(d.File(RunFile), []byte("{"), 0o600))
	_, err := LoadToJudge(string(d))
	wantError(t, err, RunFile, "unexpected end")
}

// TestLoadRefusesWhatIsNoFile has a directory in the place of each file; a pipe, which would block, is in
// load_linux_test.go.
func TestLoadRefusesWhatIsNoFile(t *testing.T) {
	refuses(t, func(path string) error { return os.Mkdir(path, 0o755) })
}

// refuses wants Load to refuse what make puts in the place of each file of a run, one after another.
func refuses(t *testing.T, make func(path string) error) {
	t.Helper()
	run := Run{Format: Format, Finished: started, Tests: []Test{{Name: "a", Status: Complete}}}
	for _, name := range []string{RunFile, VerdictFile, filepath.Join(HistoryDir, "a.jsonl")} {
		d := create(t)
		if name != RunFile {
			must.Succeed(t, d.WriteRun(&run))
		}
		must.Succeed(t, make(d.File(name)))
		for _, load := range []func(string) (Saved, error){Load, LoadToJudge} {
			_, err := load(string(d))
			wantError(t, err, d.File(name), "is no regular file")
		}
	}
}

func TestLoadFollowsLinks(t *testing.T) {
	d := create(t)
	must.Succeed(t, d.WriteRun(&Run{Format: Format, Seed: 7}))
	must.Succeed(t, os.Rename(d.File(RunFile), d.File("elsewhere")))
	if err := os.Symlink("elsewhere", d.File(RunFile)); err != nil {
		t.Skip("SKIPPED, NOT PROVEN: this system makes no symbolic links: ", err)
	}
	if s, err := Load(string(d)); err != nil || s.Run.Seed != 7 {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"format":1,"tests":[{"name":"a"}]}`))
	f.Add([]byte(`{"format":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		for _, name := range []string{RunFile, VerdictFile} {
			must.Succeed(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
		}
		_, err := Load(dir)
		if err != nil && strings.ContainsRune(strings.TrimSpace(err.Error()), '\n') {
			t.Errorf("more than one line: %q", err)
		}
		wantNoGo(t, err)
	})
}
