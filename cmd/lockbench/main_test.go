package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// wide is how many columns the tests' terminals have.
const wide = "200"

// TestMain makes the test program lockbench itself: for scripts, and for the roles in which lockbench starts its own
// binary again.
func TestMain(m *testing.M) {
	if roleOf(context.Background(), os.Stdin, os.Stdout, os.Args[1:]) != nil {
		os.Exit(program(context.Background(), os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
	}
	// What tests look for must not be broken by the end of a line; terminal_test.go has narrow ones.
	if err := os.Setenv("COLUMNS", wide); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"lockbench": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, Setup: func(e *testscript.Env) error {
		e.Setenv("COLUMNS", wide)
		return nil
	}})
}
