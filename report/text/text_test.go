package text

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
)

func render(t testing.TB, width int, runs ...*report.Model) string {
	t.Helper()
	var b strings.Builder
	if err := Render(&b, report.Of(runs...), report.Options{Width: width}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextFitsATerminal(t *testing.T) {
	m := sample.Run(t)
	m.Rows[0].Driver.Title = strings.Repeat("unbreakable", 9)
	m.Rows[0].Behaviours[0].Phase = strings.Repeat("x", 70)
	for _, width := range []int{60, 80, 120} {
		for line := range strings.Lines(render(t, width, m)) {
			line = strings.TrimSuffix(line, "\n")
			if !lines.Fits(line, width) {
				t.Errorf("%d columns, want at most %d: %s", lines.Columns(line), width, line)
			}
			if strings.ContainsAny(line, "\x1b\r\t\n") {
				t.Errorf("control characters: %q", line)
			}
		}
	}
}

// figure is a number with what belongs to it.
var figure = regexp.MustCompile(`[0-9][0-9.,]*`)

// No width loses a figure of a table, or one that another width shows.
func TestEveryWidthHasAllFigures(t *testing.T) {
	for _, m := range []*report.Model{sample.Run(t), sample.Tables(t)} {
		wide := figure.FindAllString(render(t, 120, m), -1)
		var cells []string
		for _, table := range m.Tables {
			for _, line := range table.Lines {
				for _, cell := range line.Cells {
					cells = append(cells, figure.FindAllString(strings.Join(cell.Lines(), " "), -1)...)
				}
			}
		}
		for _, width := range []int{40, 60, 80, 100, 120, 200} {
			got := figure.FindAllString(render(t, width, m), -1)
			for _, want := range [][]string{wide, cells} {
				for _, f := range slices.Compact(slices.Sorted(slices.Values(want))) {
					if n, w := count(got, f), count(want, f); n < w {
						t.Errorf("%d columns have %s %d times, want it %d times", width, f, n, w)
					}
				}
			}
		}
	}
}

// The answer is on the first screen of the smallest terminal.
func TestTheFirstScreenAnswers(t *testing.T) {
	screen := strings.Join(strings.SplitAfter(render(t, 80, sample.Run(t)), "\n")[:24], "")
	for _, want := range []string{"Redis SETNX  ", "Redis Redlock  ", "etcd  ", "ZooKeeper  ", "PostgreSQL row lock  ", "idempotent work only", "correctness, with fencing", "597 µs"} {
		if !strings.Contains(screen, want) {
			t.Errorf("%q is not on it:\n%s", want, screen)
		}
	}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// Whatever a run says, its lines fit.
func TestAnyTextFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run, verdicts, measured := sample.Any(t)
		m := report.NewModel(run, verdicts, true, measured)
		width := rapid.IntRange(60, 130).Draw(t, "width")
		var b strings.Builder
		if err := Render(&b, report.Of(m), report.Options{Width: width}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if !lines.Fits(line, width) {
				t.Fatal(fmt.Sprintf("%d columns, want at most %d: %s", lines.Columns(line), width, line))
			}
		}
	})
}
