package links

import (
	"strings"
	"testing"
)

// A fault that finds no link says so: otherwise it would be taken for one that was injected.
func TestNoLinkIsAnError(t *testing.T) {
	links, _, _ := open(t)
	for name, inject := range map[string]func() (func(), error){
		"cut":   func() (func(), error) { return links.Cut() },
		"reset": func() (func(), error) { return links.Reset() },
		"slow":  func() (func(), error) { return links.Slow(Shape{}) },
	} {
		if _, err := inject(); err == nil || !strings.Contains(err.Error(), "no link") {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
}
