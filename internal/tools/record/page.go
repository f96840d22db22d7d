package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/template"
)

//go:embed record.md.tmpl
var page string

// never is the heading of what must not be found; what must be comes before it.
const never = "## Must never be found"

// writePage writes the page with the rows of the shards that were run. Of the others it keeps what it said before.
func writePage(path string, all []shard, ran func(shard string) bool, rows []row, seeds int, commit string) error {
	t, err := template.New("record").Parse(page)
	if err != nil {
		return fmt.Errorf("parse the page's template: %w", err)
	}
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read what was recorded before: %w", err)
	}
	oldMust, oldNever, _ := strings.Cut(string(old), never)
	data := struct {
		Seeds       int
		Must, Never []string
	}{Seeds: seeds}
	for _, s := range all {
		if !ran(s.name) {
			data.Must = append(data.Must, linesOf(oldMust, s.name)...)
			data.Never = append(data.Never, linesOf(oldNever, s.name)...)
			continue
		}
		for _, r := range rows {
			switch {
			case r.shard != s.name:
			case r.must:
				data.Must = append(data.Must, r.line(commit))
			default:
				data.Never = append(data.Never, r.line(commit))
			}
		}
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("fill the page's template: %w", err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// line is the row as a line of a table.
func (r row) line(commit string) string {
	cells := []string{r.shard, r.driver, r.setting, r.what, fmt.Sprint(len(r.tried)), fmt.Sprintf("%d%s", len(r.found), r.doubt()), commit}
	return "| " + strings.Join(cells, " | ") + " |"
}

// linesOf are the lines that a part of the page has of a shard.
func linesOf(part, shard string) []string {
	return slices.DeleteFunc(strings.Split(part, "\n"), func(line string) bool { return !strings.HasPrefix(line, "| "+shard+" |") })
}
