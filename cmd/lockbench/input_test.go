package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInput holds the exit codes of check and export, and that what cannot be read is the caller's error.
func TestInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	torn := file("torn.jsonl", `{"time":1,"client":"c1","process":0,"type":"invoke","f":"acq`)
	unordered := file("unordered.jsonl", `{"time":1,"client":"c1","process":0,"type":"ok","f":"release","lock":"a","grant":1}`)
	var b strings.Builder
	for n := range 101 {
		for _, typ := range []string{"invoke", "ok"} {
			fmt.Fprintf(&b, `{"time":%d,"client":"c1","process":0,"type":"%s","f":"acquire","lock":"l%d","grant":%d}`+"\n", n, typ, n, n+1)
		}
	}
	large := file("large.jsonl", b.String())
	example := filepath.Join("..", "..", "examples", "history.jsonl")
	for _, tt := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{"check", example}, exitViolation, ""},
		{[]string{"check", example, "--explain", "--format", "json"}, exitViolation, ""},
		{[]string{"check", example, "--format", "txt"}, exitUsage, `did you mean "text"`},
		{[]string{"check", torn, "--explain"}, exitUsage, "may be truncated"},
		{[]string{"check", filepath.Join(dir, "nothing"), "--explain"}, exitUsage, ""},
		{[]string{"export", example}, exitValid, ""},
		{[]string{"export", example, "--incident", "-1"}, exitUsage, "numbered from 1"},
		{[]string{"export", unordered}, exitUsage, "line 1"},
		{[]string{"export", large}, exitValid, ""},
		{[]string{"export", large, "--format", "porcupine"}, exitUsage, "--incident 1"},
		{[]string{"export"}, exitUsage, "export needs the directory of one run, or one history file, and was given nothing: lockbench export results/<run>"},
		{[]string{"export", example, "--out", filepath.Join(dir, "no", "h.edn")}, exitUsage, "choose"},
	} {
		t.Run(strings.ReplaceAll(strings.Join(tt.args, " "), string(filepath.Separator), "|"), func(t *testing.T) {
			var out, said bytes.Buffer
			if code := program(t.Context(), nil, &out, &said, tt.args); code != tt.code {
				t.Errorf("exit code %d, want %d: %s", code, tt.code, &said)
			}
			if !strings.Contains(said.String(), tt.said) {
				t.Errorf("said %q, want %q", &said, tt.said)
			}
			if tt.code == exitUsage && out.Len() > 0 {
				t.Errorf("printed %q", &out)
			}
		})
	}
}
