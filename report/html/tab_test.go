package html

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// tab is a tab of the browser, and what it complained about and asked for since it opened its page.
type tab struct {
	ctx      context.Context
	mu       sync.Mutex
	errors   []string
	requests []string
}

func newTab(t *testing.T, path string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, // which root cannot have
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	b := &tab{}
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.note))
	t.Cleanup(cancel)
	if err := chromedp.Do(b.ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	ask(t, b, network.Enable, network.EnableParams{})
	ask(t, b, cdplog.Enable, cdp.Empty{})
	return b
}

// note listens to the browser.
func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprint("console.", e.Type))
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Text)
	case *cdplog.EventEntryAdded:
		b.errors = append(b.errors, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

// ask sends the browser a command.
func ask[P, R any](t *testing.T, b *tab, command cdp.Command[P, R], params P) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}

func (b *tab) open(t *testing.T, file string, width, height int64, dark bool) {
	t.Helper()
	b.mu.Lock()
	b.errors, b.requests = nil, nil
	b.mu.Unlock()
	theme := "light"
	if dark {
		theme = "dark"
	}
	ask(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	})
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(file)}
	must.Succeed(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(address.String())))
}

// maxShot is how many pixels from the top a screenshot shows.
const maxShot = 8000

// shoot writes a picture of the page.
func (b *tab) shoot(t *testing.T, path string) {
	t.Helper()
	size := ask(t, b, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize
	beyond := true
	png := ask(t, b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: size.Width, Height: min(size.Height, maxShot), Scale: 1},
	})
	must.Succeed(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must.Succeed(t, os.WriteFile(path, png.Data, 0o600))
}

// tallest is how high the page of one run may be on a desk before anything is unfolded: six screens. mostPages is on how
// many sheets it is printed.
const (
	tallest   = 6 * 900
	mostPages = 10
)

// checkFolded looks at the page as a reader first sees it.
func (b *tab) checkFolded(t *testing.T) {
	t.Helper()
	if height := ask(t, b, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize.Height; height > tallest {
		t.Errorf("the page is %.0f pixels high, want at most %d", height, tallest)
	}
	pdf := ask(t, b, page.PrintToPDF, page.PrintToPDFParams{})
	if n := bytes.Count(pdf.Data, []byte("/Type /Page\n")); n == 0 || n > mostPages {
		t.Errorf("the page is printed on %d sheets, want 1 to %d", n, mostPages)
	}
}
