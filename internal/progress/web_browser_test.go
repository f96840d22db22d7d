package progress

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lockbench/lockbench/internal/testkit/browser"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

var screenshots = flag.String("screenshots", "", "write screenshots of the live page into this directory")

// TestWebInABrowser opens the live page in a real browser, on a phone and on a desk, in both themes, lets the run go on
// and end, and wants the page to become the report.
func TestWebInABrowser(t *testing.T) {
	path, err := browser.Find()
	testenv.NeedServer(t, err)
	tab := browser.NewTab(t, path)
	for _, s := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"desktop-light", 1280, 900, false}, {"desktop-dark", 1280, 900, true}, {"phone-light", 390, 844, false}, {"phone-dark", 390, 844, true}} {
		t.Run(s.name, func(t *testing.T) {
			w := served(t)
			begin := time.Now()
			must.Succeed(t, w.Show(webRun(begin)))
			tab.Open(t, w.URL(), s.width, s.height, s.dark)
			shows(t, tab, "2 incidents so far")
			for i := range 30 {
				must.Succeed(t, w.Show([]Event{{
					Kind: Tick, Time: begin.Add(time.Duration(i+3) * time.Second), Driver: "etcd", Test: "etcd.a", Phase: "cut",
					Counts: &Counts{Rate: float64(40 + i*i%17), P99: time.Duration(1+i%5) * time.Millisecond},
				}}))
			}
			must.Succeed(t, w.Show([]Event{{Kind: Note, Time: begin, Text: "the last <b>message</b>"}}))
			shows(t, tab, "the last <b>message</b>")
			shows(t, tab, "partition c1 <script>")
			if wide := evaluate[int](t, tab, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
				t.Errorf("the page is %d pixels too wide", wide)
			}
			if drawn := evaluate[int](t, tab, "document.querySelectorAll('polyline').length + 10*document.querySelectorAll('rect.fault').length"); drawn != 22 {
				t.Errorf("two plots with a fault each: %d", drawn)
			}
			if *screenshots != "" {
				tab.Shoot(t, filepath.Join(*screenshots, "live-"+s.name+".png"))
			}
			report := filepath.Join(t.TempDir(), "report.html")
			must.Succeed(t, os.WriteFile(report, []byte("<!doctype html><title>r</title><p>the report"), 0o600))
			w.Report(report)
			must.Succeed(t, w.End())
			shows(t, tab, "the report")
			errors, requests := tab.Said()
			if len(errors) > 0 {
				t.Errorf("the browser complains: %q", errors)
			}
			for _, r := range requests {
				if !strings.HasPrefix(r, w.URL()) {
					t.Errorf("the page asks for %s", r)
				}
			}
		})
	}
}

// evaluate asks the page.
func evaluate[T any](t *testing.T, tab *browser.Tab, script string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(tab.Ctx, time.Minute)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	must.Succeed(t, err)
	return got
}

// shows waits until the page has a text.
func shows(t *testing.T, tab *browser.Tab, text string) {
	t.Helper()
	must.Eventually(t, "the page shows "+text, func() bool { return strings.Contains(evaluate[string](t, tab, "document.body?.innerText ?? ''"), text) })
}
