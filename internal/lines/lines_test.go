package lines

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var anyLine = rapid.StringMatching(`[a-z]{0,12}( [a-zäµ×]{1,12}){0,20}`)

// No line is longer than the terminal is wide, and no word is lost.
func TestHangFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line, width := anyLine.Draw(t, "line"), rapid.IntRange(20, 120).Draw(t, "width")
		got := Hang(line, width, "- ", "    ")
		if n := Columns(strings.Join(got, "\n")); n > width && len(line)+2 > width {
			t.Fatalf("%d columns, want at most %d:\n%s", n, width, strings.Join(got, "\n"))
		}
		if words := strings.Fields(strings.TrimPrefix(strings.Join(got, " "), "- ")); !same(words, strings.Fields(line)) {
			t.Fatalf("%q became %q", line, words)
		}
	})
}

func same(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") }

func TestBesideFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Entry {
			return Entry{rapid.StringMatching(`[a-z]{1,9}( [a-z]{1,9}){0,3}`).Draw(t, "label"), rapid.SliceOf(anyLine).Draw(t, "lines")}
		})).Draw(t, "entries")
		width := rapid.IntRange(40, 120).Draw(t, "width")
		if got := Beside(entries, width); Columns(got) > width {
			t.Fatalf("%d columns, want at most %d:\n%s", Columns(got), width, got)
		}
	})
}

func TestHang(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"short", []string{"- short"}},
		{"the slowest took 161 ms", []string{"- the slowest", "  took 161 ms"}},
		{"it is at p99 4.20 ms", []string{"- it is at", "  p99 4.20 ms"}},
		{"unbreakableunbreakable", []string{"- unbreakableu", "  nbreakable"}},
		{"saved in results/2026-partition: all of it", []string{"- saved in", "  results/2026-partition:", "  all of it"}},
		{"\x1b[31mtwo holders at once\x1b[0m", []string{"- \x1b[31mtwo holders\x1b[0m", "  \x1b[31mat once\x1b[0m"}},
	} {
		if got := Hang(tt.line, 14, "- ", "  "); !slices.Equal(got, tt.want) {
			t.Errorf("%q became %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestBeside(t *testing.T) {
	got := Beside([]Entry{{"a", []string{"first", "second"}}, {"much-longer-than-the-others", []string{"third"}}}, 40)
	if want := "  a  first\n     second\n  much-longer-than-the-others\n     third\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
