package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test program lockbench itself: for scripts, and for the hidden subcommands under which lockbench starts
// its own binary again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		for _, hidden := range hiddenCommands() {
			if os.Args[1] == hidden.Name() {
				os.Exit(run(context.Background(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
			}
		}
	}
	testscript.Main(m, map[string]func(){"lockbench": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true})
}
