package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// manDir is where `make man` wants the pages. They are written by a test so that the generator, and the Markdown parser
// that it brings, are in no binary that is shipped.
var manDir = flag.String("man", "", "write man pages and completions below this directory")

// TestManPages writes a page for each command, and completions for four shells, twice: both times the same.
func TestManPages(t *testing.T) {
	dir := *manDir
	if dir == "" {
		dir = t.TempDir()
	}
	writePages(t, dir)
	again := t.TempDir()
	writePages(t, again)
	pages, err := filepath.Glob(filepath.Join(again, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != len(commandsOf(manRoot()))+4 {
		t.Errorf("there are %q", pages)
	}
	for _, page := range pages {
		name, err := filepath.Rel(again, page)
		if err != nil {
			t.Fatal(err)
		}
		a, errA := os.ReadFile(page)
		b, errB := os.ReadFile(filepath.Join(dir, name))
		if errA != nil || errB != nil || len(a) < 300 || !bytes.Equal(a, b) {
			t.Errorf("%s: %v, %v, %d bytes, or it differs from time to time", name, errA, errB, len(a))
		}
	}
	run, err := os.ReadFile(filepath.Join(dir, "man", "lockbench-run.1"))
	for _, part := range []string{`.TH "LOCKBENCH-RUN" "1"`, ".SH EXAMPLE", `\fB--driver\fP`, "lockbench run --scenario partition"} {
		if err != nil || !strings.Contains(string(run), part) {
			t.Errorf("lockbench-run.1 lacks %q: %v", part, err)
		}
	}
}

// manRoot is the command line with what the library adds to it.
func manRoot() *cobra.Command {
	root := newRootCommand()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true // which has the day
	for _, cmd := range commandsOf(root) {
		cmd.Long = verbatim(cmd.Long)
	}
	return root
}

// commandsOf are a command and all below it that have a page.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
			all = append(all, commandsOf(c)...)
		}
	}
	return all
}

// verbatim indents the lines that are indented so far that they stay lines.
func verbatim(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  ") {
			line = "  " + line
		}
		b.WriteString(line)
	}
	return b.String()
}

func writePages(t *testing.T, dir string) {
	t.Helper()
	for _, d := range []string{"man", "completions"} {
		must.Succeed(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	root := manRoot()
	date := time.Unix(sourceDate(t), 0).UTC()
	must.Succeed(t, doc.GenManTree(root, &doc.GenManHeader{Section: "1", Date: &date, Source: "lockbench", Manual: "lockbench manual"}, filepath.Join(dir, "man")))
	completions := filepath.Join(dir, "completions")
	must.Succeed(t, root.GenBashCompletionFileV2(filepath.Join(completions, "lockbench.bash"), true))
	must.Succeed(t, root.GenZshCompletionFile(filepath.Join(completions, "_lockbench")))
	must.Succeed(t, root.GenFishCompletionFile(filepath.Join(completions, "lockbench.fish"), true))
	must.Succeed(t, root.GenPowerShellCompletionFileWithDesc(filepath.Join(completions, "lockbench.ps1")))
}

// sourceDate is the time of the commit, which `make man` gives (https://reproducible-builds.org/specs/source-date-epoch).
func sourceDate(t *testing.T) int64 {
	t.Helper()
	said := os.Getenv("SOURCE_DATE_EPOCH")
	if said == "" {
		return 0
	}
	seconds, err := strconv.ParseInt(said, 10, 64)
	if err != nil {
		t.Fatalf("SOURCE_DATE_EPOCH: %v", err)
	}
	return seconds
}
