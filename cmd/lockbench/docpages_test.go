package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// root is that of the repository.
const root = "../.."

// docPage is a page of the documentation.
type docPage struct {
	name   string
	blocks []block
	spans  []string // code in running text
	links  []string
	ids    []string // of its headings
}

type block struct{ language, text string }

// pages are those for users and contributors.
func pages(t *testing.T) (all []docPage) {
	t.Helper()
	docs, err := filepath.Glob(root + "/docs/*.md")
	must.Succeed(t, err)
	for _, name := range append(docs, root+"/README.md", root+"/CONTRIBUTING.md", root+"/ARCHITECTURE.md", root+"/CHANGELOG.md", root+"/compose/README.md") {
		b, err := os.ReadFile(name)
		must.Succeed(t, err)
		short, err := filepath.Rel(root, name)
		must.Succeed(t, err)
		all = append(all, readPage(filepath.ToSlash(short), b))
	}
	return all
}

func readPage(name string, source []byte) docPage {
	p := docPage{name: name}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	_ = ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.FencedCodeBlock:
			p.blocks = append(p.blocks, block{string(n.Language(source)), string(n.Lines().Value(source))})
		case *ast.CodeSpan:
			var b strings.Builder
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				b.Write(c.(*ast.Text).Value(source))
				b.WriteByte(' ') // where a line ends
			}
			p.spans = append(p.spans, strings.TrimSpace(b.String()))
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok {
				p.ids = append(p.ids, string(id.([]byte)))
			}
		}
		return ast.WalkContinue, nil
	})
	for part := range strings.SplitSeq(string(source), `<a id="`) {
		id, _, _ := strings.Cut(part, `"`)
		p.ids = append(p.ids, id)
	}
	return p
}

// commandLines are the commands of a block, without prompts and comments.
func commandLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		line, _, _ = strings.Cut(line, " # ")
		line, _, _ = strings.Cut(line, "   #")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// isTest reports whether a driver has a test of that name under some shipped scenario.
func isTest(name string) bool {
	shipped, err := scenarios.All()
	if err != nil {
		return false
	}
	for _, s := range shipped {
		for _, d := range all.Drivers() {
			for _, t := range plan.Tests(s, d) {
				if t.Name == name {
					return true
				}
			}
		}
	}
	return false
}

// TestLinks: what the documentation links to is there.
func TestLinks(t *testing.T) {
	byName := map[string]docPage{}
	for _, p := range pages(t) {
		byName[p.name] = p
	}
	for _, p := range byName {
		for _, link := range p.links {
			file, id, hasID := strings.Cut(link, "#")
			if strings.Contains(link, "://") {
				continue
			}
			name := p.name
			if file != "" {
				name = filepath.Join(filepath.Dir(p.name), file)
			}
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
			if target, isPage := byName[name]; hasID && isPage && !slices.Contains(target.ids, id) {
				t.Errorf("%s: %s has no heading #%s", p.name, name, id)
			}
		}
	}
}
