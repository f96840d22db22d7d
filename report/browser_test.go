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
	for name, runs := range browserPages(t) {
		file := filepath.Join(t.TempDir(), name+".html")
		var b bytes.Buffer
		if err := RenderPage(&b, runs); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, s := range screens {
			t.Run(name+"/"+s.name, func(t *testing.T) {
				tab.open(t, file, s.width, s.height, s.dark)
				tab.check(t, runs)
				if *screenshots != "" {
					tab.shoot(t, filepath.Join(*screenshots, name+"-"+s.name+".png"))
				}
			})
		}
	}
}

// browserPages are a run with everything, that and one with all tables, and one with nothing.
func browserPages(t *testing.T) map[string][]*Model {
	t.Helper()
	pages := map[string][]*Model{"all": {fixture(t)}, "two": {tablesFixture(t), fixture(t)}, "empty": {emptyModel()}}
	for i, dir := range filepath.SplitList(*screenRuns) {
		m, err := Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		pages[fmt.Sprint("run-", i+1)] = []*Model{m}
	}
	return pages
}
