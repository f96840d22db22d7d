package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestLivePage runs with a page: a program that reads its events until all is over gets the run's own report.
func TestLivePage(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--web", "--scenario", quietFor(t, "short", "300ms", ""))
	p.Args = append(p.Args, "--out", p.out)
	told, err := os.Create(filepath.Join(t.TempDir(), "stderr")) // to be read while it goes on
	must.Succeed(t, err)
	defer told.Close()
	p.Stderr = told
	must.Succeed(t, p.Start())
	var url string
	must.Eventually(t, "the URL is told", func() bool {
		b, err := os.ReadFile(told.Name())
		must.Succeed(t, err)
		url = regexp.MustCompile(`http://127\.0\.0\.1:\d+/[A-Z2-7]+/\n`).FindString(string(b))
		return url != ""
	})
	url = strings.TrimSpace(url)
	get := func(name string) string {
		r, err := http.Get(url + name)
		must.Succeed(t, err)
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		must.Succeed(t, err)
		return string(b)
	}
	events := get("events") // to their end
	if !strings.Contains(events, "lockbench: short") || !strings.HasSuffix(events, "data: {\"report\":true}\n\n") {
		t.Errorf("the events are %s", events)
	}
	page := get("report")
	if code := p.exitCode(); code != exitValid {
		t.Fatalf("exit code %d\n%s", code, &p.said)
	}
	found, err := filepath.Glob(filepath.Join(p.out, "*-short", results.ReportFile))
	if err != nil || len(found) != 1 {
		t.Fatalf("reports: %v, %v", found, err)
	}
	if saved, err := os.ReadFile(found[0]); err != nil || string(saved) != page {
		t.Errorf("the page became another report: %v, %d and %d bytes", err, len(saved), len(page))
	}
	for _, file := range []string{results.RunFile, results.JSONFile} {
		secret := strings.Split(url, "/")[3]
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(found[0]), file)); err != nil || strings.Contains(string(b), secret) {
			t.Errorf("%s has the secret, or %v", file, err)
		}
	}
	if _, err := http.Get(url); err == nil {
		t.Error("somebody still serves")
	}
}
