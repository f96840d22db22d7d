package faults

import (
	"strings"
	"testing"
)

// A fault that finds no link to strike says so: it would be taken for one that struck.
func TestNoLinkIsAnError(t *testing.T) {
	links, _, _ := open(t)
	for name, strike := range map[string]func() (func(), error){
		"cut":   func() (func(), error) { return links.Cut() },
		"reset": func() (func(), error) { return links.reset(nil) },
		"slow":  func() (func(), error) { return links.shape(shape{}, nil) },
	} {
		if _, err := strike(); err == nil || !strings.Contains(err.Error(), "no link") {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
}
