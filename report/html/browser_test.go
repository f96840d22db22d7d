package html

import (
	"bytes"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/browser"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
)

var (
	screenshots = flag.String("screenshots", "", "write screenshots of the pages into this directory")
	screenRuns  = flag.String("screenshot-run", "", "take them of the runs in these directories, too")
)

// screens are what the pages are looked at on.
var screens = []struct {
	name          string
	width, height int64
	dark          bool
}{
	{"phone-light", 390, 844, false}, {"phone-dark", 390, 844, true},
	{"desktop-light", 1280, 900, false}, {"desktop-dark", 1280, 900, true},
}

// TestPagesInABrowser opens pages in a real browser, on a phone and on a desk, in both themes.
func TestPagesInABrowser(t *testing.T) {
	path, err := browser.Find()
	testenv.NeedServer(t, err)
	tab := browser.NewTab(t, path)
	for name, page := range browserPages(t) {
		file := filepath.Join(t.TempDir(), name+".html")
		var b bytes.Buffer
		must.Succeed(t, Render(&b, page, report.Options{}))
		must.Succeed(t, os.WriteFile(file, b.Bytes(), 0o600))
		for _, s := range screens {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				tab.Open(t, (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String(), s.width, s.height, s.dark)
				if *screenshots != "" {
					tab.Shoot(t, filepath.Join(*screenshots, name+"-"+s.name+"-folded.png"))
				}
				if strings.HasPrefix(s.name, "desktop") && len(page.Runs) == 1 {
					checkFolded(t, tab)
				}
				check(t, tab, page)
				if *screenshots != "" {
					tab.Shoot(t, filepath.Join(*screenshots, name+"-"+s.name+".png"))
				}
			})
		}
	}
}

// browserPages are a run with everything, that and one with all tables, one with nothing, and two rounds.
func browserPages(t *testing.T) map[string]*report.Document {
	t.Helper()
	two := &report.Summary{Title: "Two", Lead: []string{"Both"}, Says: []string{"Something."}, Tables: sample.Tables(t).Tables, Sections: []report.Section{{Heading: "Why", Paragraphs: []string{"Because."}}}}
	pages := map[string]*report.Document{
		"all": report.Of(sample.Run(t)), "two": report.Of(sample.Tables(t), sample.Run(t)), "empty": report.Of(sample.Empty()),
		"rounds": {Summary: two, Runs: sample.Rounds(t, "two", 100, 101)},
	}
	for i, dir := range filepath.SplitList(*screenRuns) {
		m, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		pages[fmt.Sprint("run-", i+1)] = report.Of(m)
	}
	return pages
}
