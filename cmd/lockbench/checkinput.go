package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/checker/judge"
)

// isStandardInput reports whether the path stands for standard input.
func isStandardInput(path string) bool {
	return slices.Contains([]string{"-", "/dev/stdin", "/dev/fd/0"}, path)
}

// checkInput judges the history on standard input.
func checkInput(cmd *cobra.Command, f *checkFlags) error {
	return checkStream(cmd, cmd.InOrStdin(), "standard input", f)
}

// checkPipe judges the history that comes out of a named pipe: of a shell's <(zcat FILE), for example.
func checkPipe(cmd *cobra.Command, path string, f *checkFlags) error {
	pipe, err := os.Open(path)
	if err != nil {
		return usage(fmt.Errorf("check: %w", err))
	}
	defer func() { _ = pipe.Close() }() // it was read to its end
	return checkStream(cmd, pipe, path, f)
}

// checkStream judges a history that can be read only once. It is kept in a file meanwhile, because judging reads it more
// than once and it may be larger than the memory. name is what the reader is told that it is.
func checkStream(cmd *cobra.Command, r io.Reader, name string, f *checkFlags) (err error) {
	spool, err := os.CreateTemp("", "lockbench-history-*.jsonl")
	if err != nil {
		return fmt.Errorf("keep %s in a file (choose another place with TMPDIR): %w", name, err)
	}
	defer func() { err = errors.Join(err, spool.Close(), os.Remove(spool.Name())) }()
	// Who is interrupted may be waiting for the next byte, and is not waited for.
	interrupted := context.AfterFunc(cmd.Context(), func() { _ = os.Remove(spool.Name()) })
	defer interrupted()
	if _, err := io.Copy(spool, r); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	err = checkFile(cmd, spool.Name(), name, f)
	if bad, ok := errors.AsType[*judge.InputError](err); ok {
		if cause := errors.Unwrap(bad.Err); cause != nil { // without the name of the file
			return usage(fmt.Errorf("%s: %w", name, cause))
		}
	}
	return err
}
