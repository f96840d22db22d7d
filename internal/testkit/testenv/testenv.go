// Package testenv says what a test does when the machine lacks something that it needs, and lets a test program be
// what lockbench starts again from its own binary.
package testenv

import (
	"fmt"
	"os"
	"testing"

	"github.com/lockbench/lockbench/internal/provision/local"
)

// NeedServer ends the test if err says that a server, or the browser, is missing: in CI it fails, elsewhere it skips
// loudly.
func NeedServer(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("this test needs what is not installed: %v", err)
	}
	t.Skipf("SKIPPED, NOT PROVEN: %v", err)
}

// NeedCapability ends the test if err says that the machine cannot do something that not every machine can, and that
// lockbench doctor names: it skips loudly, in CI too.
func NeedCapability(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: %v", err)
	}
}

// Main is for TestMain, and returns the exit code: it runs m's tests, or, if the test program was started with such a
// first argument, the agent's janitor or one of the commands, with the rest of the arguments.
func Main(m interface{ Run() int }, commands map[string]func(args []string) error) int {
	if len(os.Args) < 2 {
		return m.Run()
	}
	run := commands[os.Args[1]]
	if os.Args[1] == local.JanitorCommand && len(os.Args) == 3 {
		run = func(args []string) error { return local.RunJanitor(os.Stdin, args[0]) }
	}
	if run == nil {
		return m.Run()
	}
	if err := run(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
