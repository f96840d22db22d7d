package results

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker"
)

var started = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("east", 3600))

func TestCreateNeverReusesADirectory(t *testing.T) {
	out := filepath.Join(t.TempDir(), "a", "b")
	for _, want := range []string{"20260304T040607Z-partition", "20260304T040607Z-partition-2", "20260304T040607Z-partition-3"} {
		d, err := Create(out, "partition", started)
		if err != nil {
			t.Fatal(err)
		}
		if got := filepath.Base(string(d)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	d, err := Create(out, "../../my scenario.yaml", started)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(string(d)) != out {
		t.Errorf("%s is not below %s", d, out)
	}
}

func TestCreateBelowAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Create(filepath.Join(file, "out"), "partition", started)
	wantError(t, err, file, "--out")
}

func TestExplain(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC: "make room",
		syscall.EROFS:  "--out",
		syscall.EACCES: "you may not write there",
	} {
		err := advise(&os.PathError{Op: "write", Path: "run.json", Err: cause})
		wantError(t, err, "run.json", want)
		if !errors.Is(err, cause) {
			t.Errorf("%v does not wrap %v", err, cause)
		}
	}
}

func TestLoadWhatWasSaved(t *testing.T) {
	d := create(t)
	run := Run{Format: Format, Scenario: "partition", Seed: 7, Started: started.UTC(), Tests: []Test{{Name: "redis-setnx+renew.fencing-off.heed-off"}}}
	if err := d.WriteRun(&run); err != nil {
		t.Fatal(err)
	}
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
	if err := errors.Join(d.WriteRun(&run), d.WriteVerdicts(&verdicts)); err != nil {
		t.Fatal(err)
	}
	got, err = Load(string(d))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Judged || !reflect.DeepEqual(got.Run, run) || !reflect.DeepEqual(got.Verdicts, verdicts) {
		t.Errorf("after the last phase: %+v", got)
	}
}

func TestWriteLeavesTheOldFileOnFailure(t *testing.T) {
	d := create(t)
	put := func(text string, err error) error {
		return d.Write(SummaryFile, func(w io.Writer) error {
			_, werr := io.WriteString(w, text)
			return errors.Join(werr, err)
		})
	}
	if err := put("old", nil); err != nil {
		t.Fatal(err)
	}
	wantError(t, put("half", syscall.ENOSPC), SummaryFile, "make room")
	if b, err := os.ReadFile(d.File(SummaryFile)); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	entries, err := os.ReadDir(string(d))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s is left behind", e.Name())
		}
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
		{"bad verdict", good, `{"format": 1, "tests": 3}`, []string{"verdict.json:1:", "tests"}},
		{"other format", `{"format":2,"seed":"what now"}`, "", []string{"run.json has format 2", "reads format 1"}},
		{"no format", `{}`, "", []string{"has format 0"}},
		{"driver outside", `{"format":1,"drivers":[{"name":"../../etc/passwd"}]}`, "", []string{"driver 1", "no name of a file"}},
		{"driver of a test outside", `{"format":1,"tests":[{"name":"a","driver":"../b"}]}`, "", []string{"test 1", "driver", "no name of a file"}},
		{"test outside", `{"format":1,"tests":[{"name":"../../etc/passwd"}]}`, "", []string{"test 1", "no name of a file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{RunFile: tt.run, VerdictFile: tt.verdict} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Load(dir)
			wantError(t, err, append(tt.want, dir)...)
		})
	}
	_, err := Load(filepath.Join(t.TempDir(), "nowhere"))
	wantError(t, err, "nowhere", "no such file")
}

func TestLoadAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(file)
	wantError(t, err, file, "is a file")
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"format":1,"tests":[{"name":"a"}]}`))
	f.Add([]byte(`{"format":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		for _, name := range []string{RunFile, VerdictFile} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(dir); err != nil && strings.ContainsRune(strings.TrimSpace(err.Error()), '\n') {
			t.Errorf("more than one line: %q", err)
		}
	})
}

func create(t *testing.T) Dir {
	t.Helper()
	d, err := Create(t.TempDir(), "partition", started)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wantError wants one line that says all of it.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("more than one line: %q", err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q does not say %q", err, p)
		}
	}
}
