//go:build unix

package results

import (
	"errors"
	"testing"
)

func TestLock(t *testing.T) {
	d := Dir(t.TempDir())
	release, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock(); !errors.Is(err, ErrInUse) {
		t.Errorf("claimed twice: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	again, err := d.Lock()
	if err != nil {
		t.Fatalf("it was given up: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	if _, err := Dir(t.TempDir() + "/nope").Lock(); err == nil || errors.Is(err, ErrInUse) {
		t.Errorf("there is no directory: %v", err)
	}
}
