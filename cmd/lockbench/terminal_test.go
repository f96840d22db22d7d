package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/lines"
)

// output is what a command prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out strings.Builder
	root := newRootCommand()
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	if code, said := exitOf(root.ExecuteContext(context.Background())); said != nil {
		t.Fatalf("%q: exit code %d: %v", args, code, said)
	}
	return out.String()
}

// Every help, every list and what check says fits the terminal, whatever its width.
func TestHelpFitsTheTerminal(t *testing.T) {
	const history = "../../examples/history.jsonl"
	calls := [][]string{
		{"--help"}, {"--version"}, {"version"}, {"list"}, {"list", "drivers"}, {"doctor"}, {"doctor", "--color", "always"},
		{"check", history}, {"check", history, "--explain", "--color", "always"},
	}
	for _, c := range newRootCommand().Commands() {
		if c.Name() != "help" && c.Name() != "completion" { // the library's own
			calls = append(calls, []string{c.Name(), "--help"})
		}
	}
	for _, width := range []string{"40", "60", "80", "120"} {
		t.Setenv("COLUMNS", width)
		for _, args := range calls {
			if width == "40" && slices.Contains(args, "--help") {
				continue // the examples have words that are longer
			}
			most := columnsOf(&strings.Builder{})
			for line := range strings.Lines(output(t, args...)) {
				if !lines.Fits(line, most) {
					t.Errorf("%s columns, %q: %s", width, args, line)
				}
			}
		}
	}
}

func TestWidthOfATerminal(t *testing.T) {
	for said, want := range map[string]int{"": 80, "60": 60, " 132 ": 132, "0": 80, "-5": 80, "many": 80} {
		t.Setenv("COLUMNS", said)
		if got := columnsOf(&strings.Builder{}); got != want {
			t.Errorf("COLUMNS=%q: %d columns, want %d", said, got, want)
		}
	}
}

func TestColor(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want bool
	}{{nil, false}, {[]string{"--color", "never"}, false}, {[]string{"--color", "always"}, true}, {[]string{"--color=auto"}, false}} {
		root := newRootCommand()
		root.AddCommand(&cobra.Command{Use: "probe", RunE: func(cmd *cobra.Command, _ []string) error {
			if got := textOptions(cmd).Color; got != tt.want {
				t.Errorf("%q: %v", tt.args, got)
			}
			return nil
		}})
		root.SetOut(&strings.Builder{})
		root.SetArgs(append([]string{"probe"}, tt.args...))
		if err := root.ExecuteContext(context.Background()); err != nil {
			t.Error(err)
		}
	}
	root := newRootCommand()
	root.SetArgs([]string{"version", "--color", "alwas"})
	if err := root.ExecuteContext(context.Background()); err == nil || !strings.Contains(err.Error(), `--color: unknown value "alwas", did you mean "always"?`) {
		t.Errorf("a wrong value: %v", err)
	}
}

// What check and doctor say is coloured as reports are.
func TestVerdictsAreColored(t *testing.T) {
	out := output(t, "check", "../../examples/history.jsonl", "--color", "always")
	if plain := output(t, "check", "../../examples/history.jsonl"); !strings.Contains(out, "\x1b[31;1minvalid\x1b[0m") || strings.Contains(plain, "\x1b") {
		t.Errorf("with colours:\n%q\nwithout:\n%q", out, plain)
	}
}
