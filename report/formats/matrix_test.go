package formats_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// TestMatrix holds what each format says of the data in several scenarios. It stands between the answers and the runs.
func TestMatrix(t *testing.T) {
	for _, tt := range []struct {
		format, file, until string
		width               int
	}{
		{"text", "matrix.txt", "lockbench: scenario", 80}, {"text", "matrix.60.txt", "lockbench: scenario", 60}, {"markdown", "matrix.md", "## lockbench: ", 0},
		{"html", "matrix.html", `<h2 class="run"`, 0}, {"json", "matrix.json", "", 0},
	} {
		f, err := formats.Find(tt.format, formats.All())
		must.Succeed(t, err)
		render := func(d *report.Document) string {
			var b bytes.Buffer
			must.Succeed(t, f.Render(&b, d, report.Options{Width: tt.width}))
			return b.String()
		}
		if one := render(report.Of(sample.Run(t))); strings.Contains(one, report.MatrixTitle) || strings.Contains(one, `"matrix"`) {
			t.Errorf("%s: a report of one scenario has a matrix", tt.format)
		}
		got := render(report.Of(sample.Run(t), sample.Tables(t)))
		switch tt.format {
		case "json":
			var said struct{ Matrix json.RawMessage }
			must.Succeed(t, json.Unmarshal([]byte(got), &said))
			got = string(said.Matrix) + "\n"
		default:
			_, got, _ = strings.Cut(got, report.MatrixTitle+"\n")
			if tt.format == "html" {
				_, got, _ = strings.Cut(render(report.Of(sample.Run(t), sample.Tables(t))), `id="matrix">`)
			}
			got, _, _ = strings.Cut(got, tt.until)
		}
		sample.Golden(t, tt.file, []byte(got))
	}
}
