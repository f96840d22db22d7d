package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/browser"
	"github.com/lockbench/lockbench/internal/testenv"
)

var (
	screenshots = flag.String("screenshots", "", "write screenshots of the pages into this directory")
	screenRuns  = flag.String("screenshot-run", "", "take them of the runs in these directories, too")
)

// patience bounds the start of the browser and everything that is asked of one page; a busy machine takes long.
const patience = 60 * time.Second

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
	tab := newTab(t, path)
	for name, page := range browserPages(t) {
		file := filepath.Join(t.TempDir(), name+".html")
		var b bytes.Buffer
		if err := writePage(&b, page.document, page.runs); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, s := range screens {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				tab.open(t, file, s.width, s.height, s.dark)
				tab.check(t, page.runs)
				if *screenshots != "" {
					tab.shoot(t, filepath.Join(*screenshots, name+"-"+s.name+".png"))
				}
			})
		}
	}
}

// browserPage is what a page is made of.
type browserPage struct {
	document *Document
	runs     []*Model
}

// browserPages are a run with everything, that and one with all tables, one with nothing, and two rounds.
func browserPages(t *testing.T) map[string]browserPage {
	t.Helper()
	rounds, err := NewRounds(roundsFixture(t, "two", 100, 101))
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]browserPage{
		"all": {runs: []*Model{fixture(t)}}, "two": {runs: []*Model{tablesFixture(t), fixture(t)}}, "empty": {runs: []*Model{emptyModel()}},
		"rounds": {rounds.Document(), rounds.Set.Runs},
	}
	for i, dir := range filepath.SplitList(*screenRuns) {
		m, err := Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		pages[fmt.Sprint("run-", i+1)] = browserPage{runs: []*Model{m}}
	}
	return pages
}
