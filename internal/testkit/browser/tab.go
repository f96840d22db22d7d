package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// Tab is a tab of the browser, and what it complained about and asked for since it opened its page.
type Tab struct {
	Ctx      context.Context
	mu       sync.Mutex
	errors   []string
	requests []string
}

// NewTab starts a browser that ends with the test.
func NewTab(t *testing.T, path string) *Tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, // which root cannot have
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	b := &Tab{}
	b.Ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.note))
	t.Cleanup(cancel)
	if err := chromedp.Do(b.Ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	Ask(t, b, network.Enable, network.EnableParams{})
	Ask(t, b, cdplog.Enable, cdp.Empty{})
	return b
}

// note listens to the browser.
func (b *Tab) note(event any) {
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

// Ask sends the browser a command.
func Ask[P, R any](t *testing.T, b *Tab, command cdp.Command[P, R], params P) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}

// Open opens a page on a screen of that size, in one of the two themes, and forgets what was said before.
func (b *Tab) Open(t *testing.T, address string, width, height int64, dark bool) {
	t.Helper()
	b.mu.Lock()
	b.errors, b.requests = nil, nil
	b.mu.Unlock()
	theme := "light"
	if dark {
		theme = "dark"
	}
	Ask(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
	})
	ctx, cancel := context.WithTimeout(b.Ctx, patience)
	defer cancel()
	must.Succeed(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(address)))
}

// Said is what the page complained about, and which addresses it asked for, since it was opened.
func (b *Tab) Said() (errors, requests []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.errors), slices.Clone(b.requests)
}

// patience bounds the start of the browser and everything that is asked of one page; a busy machine takes long.
const patience = 60 * time.Second

// maxShot is how many pixels from the top a screenshot shows.
const maxShot = 8000

// Shoot writes a picture of the page.
func (b *Tab) Shoot(t *testing.T, path string) {
	t.Helper()
	size := Ask(t, b, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize
	beyond := true
	png := Ask(t, b, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &beyond, Clip: &page.Viewport{Width: size.Width, Height: min(size.Height, maxShot), Scale: 1},
	})
	must.Succeed(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must.Succeed(t, os.WriteFile(path, png.Data, 0o600))
}
