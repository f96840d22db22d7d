package disk

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestAdvise(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC: "make room",
		syscall.EROFS:  "--out",
		syscall.EACCES: "you may not write there",
	} {
		err := Advise(&os.PathError{Op: "write", Path: "run.json", Err: cause})
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "run.json") {
			t.Errorf("%v: %v, want %q", cause, err, want)
		}
	}
}
