package licenses

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// toolsOnly are modules that only tests and tools may need.
var toolsOnly = []string{
	"github.com/cpuguy83/go-md2man/v2", "github.com/google/licensecheck", "github.com/CycloneDX/cyclonedx-go", "github.com/chromedp/chromedp",
	"github.com/rogpeppe/go-internal",
}

// TestEveryModuleIsListed: the list has what is linked for Linux, in those versions, and nothing else.
func TestEveryModuleIsListed(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/lockbench")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{Go + " ": true}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			linked[line] = true
		}
	}
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range l.On("linux").Modules {
		name := m.Path + " " + m.Version
		if !linked[name] {
			t.Errorf("%s is listed, and not compiled in", name)
		}
		delete(linked, name)
		if slices.Contains(toolsOnly, m.Path) {
			t.Errorf("%s is compiled in", m.Path)
		}
		if m.SPDX == "" || len(m.Texts) == 0 {
			t.Errorf("%s: %+v", name, m)
		}
		for _, text := range m.Texts {
			if len(l.Texts[text]) < 20 {
				t.Errorf("%s: its text %s is %q", name, text, l.Texts[text])
			}
		}
	}
	for name := range linked {
		t.Errorf("%s is compiled in, and not listed: go run ./internal/tools/licenses", name)
	}
}

// TestOwnTermsAreThoseOfTheRoot: the list has the files LICENSE and NOTICE.
func TestOwnTermsAreThoseOfTheRoot(t *testing.T) {
	l, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	own := l.Modules[0]
	var texts []string
	for _, name := range own.Texts {
		texts = append(texts, l.Texts[name])
	}
	for _, file := range []string{"LICENSE", "NOTICE"} {
		b, err := os.ReadFile("../../" + file)
		if err != nil || !slices.Contains(texts, strings.TrimRight(string(b), "\n ")+"\n") {
			t.Errorf("%s: %v, or another text is listed: go run ./internal/tools/licenses", file, err)
		}
	}
	if own.Path != Own || own.SPDX != "Apache-2.0" || len(own.Texts) != 2 {
		t.Errorf("%+v", own)
	}
}
