package text

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// A character may take two columns.
func TestWideCharactersFit(t *testing.T) {
	m := sample.Run(t)
	m.Rows[0].Driver.Title = "分散ロック " + strings.Repeat("錠", 30)
	m.Says = append(m.Says, strings.Repeat("二人が同時に錠を持った ", 9))
	for width := 40; width < 130; width += 7 {
		for line := range strings.Lines(render(t, width, m)) {
			if !lines.Fits(line, width) {
				t.Errorf("more than %d columns: %s", width, line)
			}
		}
	}
}
