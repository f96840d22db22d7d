//go:build !(linux && amd64)

package clocks

import (
	"errors"
	"testing"
)

func TestUnsupported(t *testing.T) {
	_, patched, err := Offset(1)
	if patched || !errors.Is(err, ErrUnsupported) {
		t.Errorf("patched: %v, %v", patched, err)
	}
	for _, err := range []error{Probe(), Set(1, 1), Undo(1)} {
		if !errors.Is(err, ErrUnsupported) {
			t.Error(err)
		}
	}
}
