package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// stuck is a reader who does not read: who writes to it waits, and tells so first.
type stuck struct{ reached, let chan struct{} }

func (s stuck) Write(p []byte) (int, error) {
	s.reached <- struct{}{}
	<-s.let
	return len(p), nil
}

// TestInterruptOfAListThatNobodyReads: a command ends while it waits.
func TestInterruptOfAListThatNobodyReads(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := stuck{make(chan struct{}), make(chan struct{})}
	defer close(out.let)
	go func() {
		<-out.reached
		cancel()
	}()
	var said bytes.Buffer
	if code := program(ctx, nil, out, &said, []string{"list", "drivers"}); code != exitInterrupted || said.String() != "lockbench: interrupted\n" {
		t.Errorf("exit code %d, want %d; it says %q", code, exitInterrupted, &said)
	}
}

// TestInterruptOfInputThatNobodyWrites: a check ends while it waits for standard input, and leaves nothing.
func TestInterruptOfInputThatNobodyWrites(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, write := io.Pipe()
	defer write.Close()
	go func() {
		_, _ = write.Write([]byte(`{"time":1,`)) // it was read, so the file is there
		cancel()
	}()
	var said bytes.Buffer
	if code := program(ctx, in, io.Discard, &said, []string{"check", "-"}); code != exitInterrupted || said.String() != "lockbench: interrupted\n" {
		t.Errorf("exit code %d, want %d; it says %q", code, exitInterrupted, &said)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestInterruptedExportLeavesNoFile: neither what was asked for nor a part of it.
func TestInterruptedExportLeavesNoFile(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	args := []string{"export", filepath.Join("..", "..", "examples", "history.jsonl"), "--out", filepath.Join(dir, "h.edn")}
	if code := program(ctx, nil, io.Discard, io.Discard, args); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestUnwritable: what cannot be written is the infrastructure's failure, and no verdict.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "run.json"), []byte(`{"format": 1, "scenario": "s", "status": "complete"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"report", dir}, {"report", dir, "--format", "html"}, {"compare", dir, dir}, {"version"}, {"--version"}} {
		if code := program(t.Context(), nil, full{}, io.Discard, args); code != exitInternal {
			t.Errorf("%v: exit code %d, want %d", args, code, exitInternal)
		}
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }
