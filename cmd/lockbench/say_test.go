package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSay(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	for name, tt := range map[string]struct {
		about string
		err   error
		want  string
	}{
		"one":               {"", a, "lockbench: a\n"},
		"joined":            {"", errors.Join(a, errors.Join(b, a)), "lockbench: a\nlockbench: b\nlockbench: a\n"},
		"with an exit":      {"", usage(errors.Join(a, b)), "lockbench: a\nlockbench: b\n"},
		"wrapped":           {"", fmt.Errorf("x: %w", errors.Join(a, fmt.Errorf("y: %w", b))), "lockbench: x: a\nlockbench: x: y: b\n"},
		"of a series":       {"round 2 of 3: ", errors.Join(a, b), "lockbench: round 2 of 3: a\nlockbench: round 2 of 3: b\n"},
		"two in one":        {"", fmt.Errorf("%w: %w", a, b), "lockbench: a: b\n"},
		"advice behind":     {"", fmt.Errorf("%w: c", errors.Join(a, b)), `lockbench: a\nb: c` + "\n"},
		"names":             {"", fmt.Errorf("read a\nlockbench: fine\x1b[2K\r\u009b2J: %w", a), `lockbench: read a\nlockbench: fine\x1b[2K\r\u009b2J: a` + "\n"},
		"names in a join":   {"\a", errors.Join(errors.New("a\nb"), b), `lockbench: \aa\nb` + "\n" + `lockbench: \ab` + "\n"},
		"what turns a line": {"", errors.New("a\u202eb\u2028c\xffd"), `lockbench: a\u202eb\u2028c` + "\ufffdd\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			say(&said, tt.about, tt.err)
			if said.String() != tt.want {
				t.Errorf("it says\n%q, want\n%q", &said, tt.want)
			}
		})
	}
}

// TestNamesCannotSteerTheTerminal gives names that feign a line and clear the screen, wherever one can be given.
func TestNamesCannotSteerTheTerminal(t *testing.T) {
	const name = "./no\nlockbench: all valid\x1b[2J"
	for _, args := range [][]string{
		{"check", name}, {"report", name}, {"compare", name, "."}, {"export", name}, {"list", name}, {name}, {"run", name}, {"--" + name},
		{"report", ".", "--format", name}, {"run", "--scenario", name}, {"run", "--scenario", "partition", "--driver", name},
		{"run", "--schedule", name}, {"run", "--rounds", name}, {"run", "--scenario", "partition", "--sweep", name},
	} {
		var out, said bytes.Buffer
		if code := program(t.Context(), nil, &out, &said, args); code != exitUsage {
			t.Errorf("%q: exit code %d, want %d", args, code, exitUsage)
		}
		for line := range strings.Lines(said.String()) {
			if !strings.HasPrefix(line, "lockbench: ") || strings.HasPrefix(line, "lockbench: all valid") {
				t.Errorf("%q: it says the line %q", args, line)
			}
		}
		if strings.Contains(said.String(), "\x1b") || said.Len() == 0 {
			t.Errorf("%q: it says %q", args, &said)
		}
	}
}
