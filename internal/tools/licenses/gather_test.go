//go:build long

package main

import (
	"os"
	"testing"
)

// TestTheListIsGathered: gathered again, the list is what is committed.
func TestTheListIsGathered(t *testing.T) {
	list, err := gather("../../..", []string{"linux", "darwin", "windows"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := list.Format()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../licenses/licenses.txtar")
	if err != nil || string(got) != string(want) {
		t.Errorf("%v, or it differs: go run ./internal/tools/licenses", err)
	}
}
