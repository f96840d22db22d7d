package html

import (
	"bytes"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"github.com/lockbench/lockbench/internal/testkit/browser"
)

// tallest is how high the page of one run may be on a desk before anything is unfolded: six screens. mostPages is on how
// many sheets it is printed.
const (
	tallest   = 6 * 900
	mostPages = 10
)

// checkFolded looks at the page as a reader first sees it.
func checkFolded(t *testing.T, b *browser.Tab) {
	t.Helper()
	if height := browser.Ask(t, b, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize.Height; height > tallest {
		t.Errorf("the page is %.0f pixels high, want at most %d", height, tallest)
	}
	pdf := browser.Ask(t, b, page.PrintToPDF, page.PrintToPDFParams{})
	if n := bytes.Count(pdf.Data, []byte("/Type /Page\n")); n == 0 || n > mostPages {
		t.Errorf("the page is printed on %d sheets, want 1 to %d", n, mostPages)
	}
}
