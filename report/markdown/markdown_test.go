package markdown

import (
	"bytes"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/internal/sample"
)

// markdownHTML is what a site makes of Markdown: GitHub's, with links made of what looks like one, and with HTML let
// through.
func markdownHTML(t interface{ Fatal(...any) }, source string) string {
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	var b bytes.Buffer
	if err := md.Convert([]byte(source), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Any text is shown as it is, in a list and in a table, and nothing that it says becomes markup.
func TestMarkdownShowsAnyText(t *testing.T) {
	odd := rapid.SampledFrom([]string{
		" fenced ", "token", "gap", "stale write",
		"|", "`", "``", "*", "_", "[x](http://a.example)", "<script>", "</td>", "&lt;", "\\", "\n", "\r", "@someone", "#12", "www.a.example", "https://a.example/b",
		"a@b.example", "- ", "1. ", "1) ", "# ", "~~", "$x$", "![", "---", "===", "\x00", "\u202e", ":", "+ ", "> ", "ftp://a.example", "a", " ", "    ",
	})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.OneOf(odd, rapid.String()), 1, 8).Draw(t, "parts"), "")
		want := report.Printable(s)
		for _, form := range []struct{ before, after, open, close string }{
			{"- ", "\n", "<ul>\n<li>", "</li>\n</ul>\n"}, {"", "\n", "<p>", "</p>\n"},
			{"| a |\n| --- |\n| ", " |\n", "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>", "</td>\n</tr>\n</tbody>\n</table>\n"},
		} {
			if want == "" {
				continue
			}
			if unlinked := termLink.ReplaceAllString(linked(s), "$1"); unlinked != escape(s) {
				t.Fatalf("%q becomes %q with links", s, unlinked)
			}
			got := markdownHTML(t, form.before+escape(s)+form.after)
			inner, ok := strings.CutPrefix(got, form.open)
			inner, ok2 := strings.CutSuffix(inner, form.close)
			if shown := strings.ReplaceAll(html.UnescapeString(inner), "\u200b", ""); !ok || !ok2 || shown != want || strings.ContainsAny(inner, "<>") {
				t.Fatalf("%q becomes %q", s, got)
			}
		}
	})
}

// termLink is a link to a term in Markdown, and termTarget the begin of one in HTML.
var (
	termLink   = regexp.MustCompile(`\[([^\[\]]*)\]\(#[a-z-]*\)`)
	termTarget = regexp.MustCompile(`<a href="#([a-z-]*)">`)
)

// mention is what GitHub makes a link of even in text that was escaped.
var mention = regexp.MustCompile(`@\w|#\d|\w://`)

func TestMarkdownOfOddTexts(t *testing.T) {
	const evil = "<img src=x onerror=alert(1)> | @admin #1 `x` http://a.example\n# big"
	run := results.Run{
		Scenario: evil, Status: results.Complete, Version: evil,
		Drivers: []results.Driver{{Name: "d", Title: evil, Token: evil, Status: results.NotRun, Reason: evil}, {Name: "e", Title: "fine", Token: evil, Status: results.Complete}},
		Tests:   []results.Test{{Name: "e.a", Driver: "e", Status: results.Complete, Notes: []string{evil}, Phases: []results.Phase{{Name: evil}}}},
		Plan:    []results.PlannedPhase{{Name: evil, Faults: []results.PlannedFault{{Name: evil, Target: evil}}}},
	}
	source := sample.Render(t, Render, report.NewModel(run, results.Verdicts{}, true, nil))
	page := markdownHTML(t, source)
	for _, link := range termTarget.FindAllStringSubmatch(page, -1) {
		if !slices.ContainsFunc(report.Glossary(), func(term report.Term) bool { return anchor(term.Name) == link[1] }) {
			t.Errorf("%s leads nowhere", link[0])
		}
	}
	page = termTarget.ReplaceAllString(page, "")
	for _, bad := range []string{"<img", "<a ", "<code", "<h1"} {
		if strings.Contains(page, bad) {
			t.Errorf("there is %q: %s", bad, page)
		}
	}
	if found := mention.FindString(source); found != "" {
		t.Errorf("there is %q: %s", found, source)
	}
	// The answers, the comparison, and the four tables of the latency: a row each for two drivers, with as many cells as
	// the header.
	if rows, cells := strings.Count(page, "<tr>"), strings.Count(page, "<td"); rows != 6*3 || cells != 2*(4+8+9+8+8+8) {
		t.Errorf("%d rows and %d cells: %s", rows, cells, page)
	}
}

// However many runs there are, a CI system takes all of it: what all come to, the first runs, and how many are left out.
func TestManyRunsFit(t *testing.T) {
	one := sample.Run(t)
	for _, n := range []int{1, 140, 1000} {
		source := sample.Render(t, Render, slices.Repeat([]*report.Model{one}, n)...)
		shown := strings.Count(source, "\n## lockbench: ")
		if len(source) > MaxSize || !strings.HasPrefix(source, "## Which lock for which work\n") || shown == 0 {
			t.Errorf("%d runs: %d bytes, %d runs shown", n, len(source), shown)
		}
		rest := fmt.Sprintf("%s of %d not shown here", units.Plural(n-shown, "run"), n)
		if told := strings.Contains(source, rest); told != (shown < n) {
			t.Errorf("%d of %d runs shown, and told: %v", shown, n, told)
		}
		if n == 1000 && len(source) < MaxSize/2 {
			t.Errorf("%d runs take %d bytes only", n, len(source))
		}
	}
}
