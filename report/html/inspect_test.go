package html

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lockbench/lockbench/internal/testkit/browser"
	"github.com/lockbench/lockbench/report"
)

// inspected is what a script finds on a page.
type inspected struct {
	Title               string
	Overflow            int
	Pictures, Empty     int
	Unnamed, Unlabelled []string
	Twice               []string
	Levels              []int
	LowContrast         []string
	SmallText           []string
	Tables              int
}

// inspect looks at what is visible. Contrast is that of WCAG 2, of texts and of what pictures are drawn with.
const inspect = `(() => {
	document.querySelectorAll('details').forEach(d => d.open = true);
	const shown = e => e.getClientRects().length > 0;
	const all = s => [...document.querySelectorAll(s)].filter(shown);
	const rgb = c => { const m = c.match(/[\d.]+/g); return m && !(m.length > 3 && +m[3] === 0) ? m.slice(0, 3).map(Number) : null };
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
	const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c) return c } return [255, 255, 255] };
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
	const low = new Set(), small = new Set();
	for (const e of all('main *')) {
		const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
		if (!own || e.closest('title, desc')) continue;
		const style = getComputedStyle(e), color = rgb(e instanceof SVGElement ? style.fill : style.color);
		if (contrast(color, behind(e)) < 4.5) low.add(e.tagName + ': ' + e.textContent.trim().slice(0, 40));
		const scale = e.ownerSVGElement && e.ownerSVGElement.viewBox.baseVal.width ? e.ownerSVGElement.getBoundingClientRect().width / e.ownerSVGElement.viewBox.baseVal.width : 1;
		if (parseFloat(style.fontSize) * scale < 9.5) small.add(e.tagName + ': ' + e.textContent.trim().slice(0, 40));
	}
	const pictures = all('svg[role=img]');
	return {
		Title: document.title,
		Overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
		Pictures: pictures.length,
		Empty: pictures.filter(p => { const r = p.getBoundingClientRect(); return r.width < 40 || r.height < 20 || !p.querySelector('path, rect, line') }).length,
		Unnamed: pictures.filter(p => !p.querySelector('title')?.textContent || !p.querySelector('desc')?.textContent).map(p => p.outerHTML.slice(0, 80)),
		Unlabelled: all('[tabindex], [role=region]').filter(e => !document.getElementById(e.getAttribute('aria-labelledby'))?.textContent.trim()).map(e => e.outerHTML.slice(0, 80)),
		Twice: [...document.querySelectorAll('[id]')].map(e => e.id).filter((id, i, ids) => ids.indexOf(id) < i),
		Levels: all('h1, h2, h3, h4, h5, h6').map(e => +e.tagName[1]),
		LowContrast: [...low], SmallText: [...small],
		Tables: all('table').length,
	};
})()`

// check looks at everything that must be true of every page.
func check(t *testing.T, b *browser.Tab, d *report.Document) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, time.Minute)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[inspected](inspect))
	if err != nil {
		t.Fatal(err)
	}
	errors, requests := b.Said()
	if len(errors) > 0 {
		t.Errorf("the browser complains: %q", errors)
	}
	for _, r := range requests {
		if !strings.HasPrefix(r, "file://") || len(requests) > 1 {
			t.Errorf("the page asks for %q", requests)
		}
	}
	if !strings.Contains(got.Title, "lockbench") || got.Tables == 0 && len(d.Runs[0].Rows) > 0 {
		t.Errorf("title %q, %d tables", got.Title, got.Tables)
	}
	if got.Overflow > 0 {
		t.Errorf("the page is %d pixels too wide", got.Overflow)
	}
	if want := pictures(t, d); got.Pictures != want {
		t.Errorf("%d pictures are seen, want %d", got.Pictures, want)
	}
	if got.Empty > 0 || len(got.Unnamed) > 0 {
		t.Errorf("of %d pictures %d are empty and these have no name: %q", got.Pictures, got.Empty, got.Unnamed)
	}
	if len(got.Unlabelled) > 0 || len(got.LowContrast) > 0 || len(got.SmallText) > 0 {
		t.Errorf("without a label: %q; too little contrast: %q; too small: %q", got.Unlabelled, got.LowContrast, got.SmallText)
	}
	if len(got.Twice) > 0 {
		t.Errorf("there are two of these anchors: %q", got.Twice)
	}
	for i, level := range got.Levels {
		if i == 0 && level != 1 || i > 0 && (level == 1 || level > got.Levels[i-1]+1) {
			t.Errorf("the levels of the headings are %v", got.Levels)
			break
		}
	}
}

// pictures counts those that must be seen of a model.
func pictures(t *testing.T, d *report.Document) (n int) {
	t.Helper()
	p, err := newPage(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Runs {
		n += len(r.Percentiles)
		for _, s := range r.Sections {
			if s.Nothing() {
				continue
			}
			n += len(s.Timelines)
			for _, v := range s.Tests {
				for _, i := range v.Shown {
					if i.Picture != nil {
						n++
					}
				}
			}
		}
	}
	return n
}
