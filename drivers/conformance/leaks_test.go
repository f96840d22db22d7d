package conformance

import (
	"testing"

	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

// A goroutine that a call of the driver left behind is found, and one of another driver is not.
func TestLeft(t *testing.T) {
	b, other := &bench{id: "this"}, &bench{id: "other"}
	end := make(chan struct{})
	b.marked(func() { go func() { <-end }() })
	go func() { <-end }()
	if stacks, err := b.left(); err != nil || len(stacks) != 1 {
		t.Errorf("%d goroutines left (%v), want 1: %s", len(stacks), err, stacks)
	}
	if stacks, err := other.left(); err != nil || len(stacks) != 0 {
		t.Errorf("of another driver %d are left (%v), want none: %s", len(stacks), err, stacks)
	}
	close(end)
	locktest.Eventually(t, "none is left", func() bool {
		stacks, err := b.left()
		return err == nil && len(stacks) == 0
	})
}
