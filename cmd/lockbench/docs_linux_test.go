package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/scenarios"
)

// TestDocs does what README.md, docs/ and the examples of --help tell a user to do, in a directory where a user would do
// it. What is done, and what is not:
//
//   - The scenario of docs/scenarios.md is ./mine.yaml there. It runs for real, with one lock in one test (the whole of it,
//     as shipped, runs in make test-long), and so do two rounds of a scenario without faults. These are the results/<run>
//     and results/<rounds> of all other commands; a run that is named by a time is this one as well, and --test is its
//     first test.
//   - Every `lockbench` command runs for real, through a shell, with its pipes and redirections. check, report, compare,
//     export, list, schema, doctor and version must succeed, whatever they find.
//   - `lockbench run` would take minutes, so it runs already interrupted: the command reads its files, checks every flag and
//     plans its runs as always, and ends with 130 before anything starts. What its output is piped into gets that of the
//     real run.
//   - A program behind a pipe that this machine lacks (jq, benchstat) is left out, and logged.
//   - `make` must know its target. Commands that install something from the network (notRun) do not run.
//   - A history without a language must be one that check reads; a part of a scenario must fit into ./mine.yaml.
//   - In running text only the names are looked at: subcommands, flags, targets of make, files. TestLinks follows the links.
func TestDocs(t *testing.T) {
	_, err := exec.LookPath("redis-server")
	testenv.NeedServer(t, err)
	all := pages(t)
	d := newDesk(t, exampleOf(t, all))
	for _, page := range all {
		for _, b := range page.blocks {
			switch {
			case b.language == "sh" || b.language == "console":
				for _, line := range commandLines(b.text) {
					d.do(page.name, line)
				}
			case b.language == "yaml":
				d.read(page.name, b.text)
			case strings.HasPrefix(b.text, "{"):
				d.judge(page.name, b.text)
			}
		}
		for _, span := range page.spans {
			d.names(page.name, span)
		}
	}
	for _, cmd := range newRootCommand().Commands() {
		for _, line := range commandLines(cmd.Example) {
			d.do(cmd.Name()+" --help", line)
		}
	}
	if d.ran < 30 {
		t.Errorf("only %d commands were found", d.ran)
	}
}

// notRun are commands that change the machine.
var notRun = []string{"go install "}

// desk is a directory as a user has it.
type desk struct {
	*testing.T
	dir, root   string // root: the repository's
	example     string // of a scenario
	run, rounds string // below it
	test        string // of the run
	events      []byte // what the run printed with --json
	ran         int
	targets     []string
}

// newDesk makes the directory, and the real runs.
func newDesk(t *testing.T, example string) *desk {
	absolute, err := filepath.Abs(root)
	must.Succeed(t, err)
	d := &desk{T: t, dir: t.TempDir(), root: absolute, example: example}
	must.Succeed(t, os.Mkdir(filepath.Join(d.dir, "bin"), 0o755))
	self, err := os.Executable()
	must.Succeed(t, err)
	// The test program is lockbench if it is called so (testscript.Main).
	must.Succeed(t, os.Symlink(self, filepath.Join(d.dir, "bin", "lockbench")))
	for _, name := range []string{"examples", "Makefile"} {
		must.Succeed(t, os.Symlink(filepath.Join(d.root, name), filepath.Join(d.dir, name)))
	}
	history, err := os.ReadFile(filepath.Join(d.root, "examples", "history.jsonl"))
	must.Succeed(t, err)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err = w.Write(history)
	must.Succeed(t, errors.Join(err, w.Close()))
	must.Succeed(t, os.WriteFile(filepath.Join(d.dir, "history.jsonl"), history, 0o600))
	must.Succeed(t, os.WriteFile(filepath.Join(d.dir, "history.jsonl.gz"), packed.Bytes(), 0o600))
	must.Succeed(t, os.WriteFile(filepath.Join(d.dir, "mine.yaml"), []byte(example), 0o600))
	makefile, err := os.ReadFile(filepath.Join(d.root, "Makefile"))
	must.Succeed(t, err)
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		d.targets = append(d.targets, string(m[1]))
	}
	short := []string{"--driver", "redis-setnx", "--fencing", "unfenced", "--lost", "ignoring", "--ttl", "500ms", "--duration", "200ms", "--seed", "1"}
	run := start(t, append([]string{"run", "--scenario", filepath.Join(d.dir, "mine.yaml"), "--json"}, short...)...)
	d.run = d.move(run.finish(exitValid, exitViolation, exitUnknown)[0])
	d.events = bytes.Clone(run.stdout.Bytes())
	saved, err := results.Load(filepath.Join(d.dir, d.run))
	if err != nil || saved.Run.Status != results.Complete || saved.Verdicts.Tests[0].Result.Counts.Grants == 0 {
		t.Fatalf("the example's run: %v, %+v", err, saved.Run)
	}
	d.test = saved.Run.Tests[0].Name
	rounds := start(t, "run", "--rounds", "2", "--scenario", write(t, "still.yaml", still))
	d.rounds = d.move(rounds.finish(exitValid, exitViolation, exitUnknown)[0])
	t.Chdir(d.dir)
	return d
}

// move takes what a run left to the desk.
func (d *desk) move(dir string) string {
	place := filepath.Join("results", filepath.Base(dir))
	must.Succeed(d, os.MkdirAll(filepath.Join(d.dir, "results"), 0o755))
	must.Succeed(d, os.CopyFS(filepath.Join(d.dir, place), os.DirFS(dir)))
	return place
}

// exampleOf is the scenario in docs/scenarios.md.
func exampleOf(t *testing.T, all []docPage) string {
	t.Helper()
	for _, page := range all {
		for _, b := range page.blocks {
			if page.name == "docs/scenarios.md" && b.language == "yaml" {
				return b.text
			}
		}
	}
	t.Fatal("docs/scenarios.md has no scenario")
	return ""
}

// The directories that commands have: of rounds, and of runs.
var (
	ofRounds = regexp.MustCompile(`results/(<[a-z]+>|[0-9TZ]+)-[a-z-]*rounds|results/<rounds>`)
	ofRun    = regexp.MustCompile(`results/(<[a-z]+>|[0-9TZ]{16}-[a-z-]+)`)
	ofTest   = regexp.MustCompile(`--test ([^ ]+)`)
)

// do runs a command line.
func (d *desk) do(where, line string) {
	for _, prefix := range notRun {
		if strings.HasPrefix(line, prefix) {
			return
		}
	}
	d.ran++
	if target, ok := strings.CutPrefix(line, "make "); ok {
		d.target(where, target)
		return
	}
	if m := ofTest.FindStringSubmatch(line); m != nil && !isTest(m[1]) {
		d.Errorf("%s: %s: no test is called %s", where, line, m[1])
	}
	line = strings.ReplaceAll(line, "bin/lockbench", "lockbench")
	const rounds = "ROUNDS"
	line = ofRounds.ReplaceAllString(line, rounds)
	line = strings.ReplaceAll(ofRun.ReplaceAllString(line, d.run), rounds, d.rounds)
	line = d.known(where, ofTest.ReplaceAllString(line, "--test "+d.test))
	if line == "" {
		return
	}
	if strings.HasPrefix(line, "lockbench run ") {
		first, rest, piped := strings.Cut(line, " | ")
		d.interrupted(where, first)
		if !piped {
			return
		}
		must.Succeed(d, os.WriteFile(filepath.Join(d.dir, "events.json"), d.events, 0o600))
		line = "cat events.json | " + rest
	}
	d.shell(where, line)
}

// shell runs a line in a shell. It must succeed; check may find what it finds, and doctor may miss something.
func (d *desk) shell(where, line string) {
	cmd := exec.CommandContext(d.Context(), "bash", "-o", "pipefail", "-c", line)
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"), "GITHUB_STEP_SUMMARY="+filepath.Join(d.dir, "summary.md"))
	out, err := cmd.CombinedOutput()
	found := []int{exitValid}
	if strings.Contains(line, "lockbench check") || strings.Contains(line, "lockbench doctor") {
		found = []int{exitValid, exitViolation, exitUnknown}
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(found, code) {
		d.Errorf("%s: %s: %v\n%s", where, line, err, out)
	}
}

// What is quoted, and what separates programs.
var (
	ofQuotes   = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	ofPrograms = regexp.MustCompile(` \| | && `)
)

// known leaves out what this machine has not, from the pipe on that leads to it.
func (d *desk) known(where, line string) string {
	whole := ofQuotes.ReplaceAllStringFunc(line, func(q string) string { return strings.Repeat("q", len(q)) })
	begin := 0
	for _, part := range append(ofPrograms.FindAllStringIndex(whole, -1), []int{len(whole), len(whole)}) {
		name := strings.Fields(whole[begin:part[0]])[0]
		if err := exec.Command("bash", "-c", "type "+name).Run(); err != nil && name != "lockbench" {
			d.Logf("%s: left out of %q: there is no %s here", where, line, name)
			return strings.TrimRight(line[:begin], " |&")
		}
		begin = part[1]
	}
	return line
}

// interrupted does a run that is interrupted before it begins.
func (d *desk) interrupted(where, line string) {
	args, err := exec.Command("bash", "-c", `printf '%s\n' `+strings.TrimPrefix(line, "lockbench ")).Output()
	must.Succeed(d, err)
	ctx, cancel := context.WithCancel(d.Context())
	cancel()
	var out, said bytes.Buffer
	words := append(strings.Split(strings.TrimSpace(string(args)), "\n"), "--out", d.TempDir())
	if code := program(ctx, nil, &out, &said, words); code != exitInterrupted {
		d.Errorf("%s: %s: exit code %d: %s", where, line, code, &said)
	}
}

// target looks for targets of make.
func (d *desk) target(where, text string) {
	for word := range strings.FieldsSeq(text) {
		if !strings.Contains(word, "=") && !slices.Contains(d.targets, word) {
			d.Errorf("%s: make has no target %s", where, word)
		}
	}
}

// read reads a scenario, or a part of one that takes the place of what the example has.
func (d *desk) read(where, text string) {
	if !strings.Contains(text, "name:") {
		text = d.example + text
	}
	if _, err := scenarios.Parse("example.yaml", []byte(text)); err != nil {
		d.Errorf("%s: %v", where, err)
	}
}

// judge has a history checked.
func (d *desk) judge(where, text string) {
	var out, said bytes.Buffer
	if code := program(d.Context(), strings.NewReader(text), &out, &said, []string{"check", "-"}); code != exitValid && code != exitViolation && code != exitUnknown {
		d.Errorf("%s: exit code %d for a history: %s", where, code, &said)
	}
}

// names looks at the names in a command that stands in running text.
func (d *desk) names(where, span string) {
	words := strings.Fields(span)
	switch {
	case len(words) > 1 && words[0] == "make":
		d.target(where, strings.Join(words[1:], " "))
	case len(words) > 1 && (words[0] == "lockbench" || words[0] == "bin/lockbench"):
		d.flags(where, span, words[1:])
	case len(words) == 1 && aFile.MatchString(span):
		if _, err := os.Stat(filepath.Join(d.root, span)); err != nil {
			d.Errorf("%s: there is no %s", where, span)
		}
	}
}

// aFile is what looks like a file or a folder of the repository.
var aFile = regexp.MustCompile(`^(checker|cmd|compose|docs|drivers|examples|faults|internal|report|scenarios)/[\w./-]*$`)

// flags looks for the command and its flags.
func (d *desk) flags(where, span string, words []string) {
	root := newRootCommand()
	cmd, _, err := root.Find(words[:1])
	if err != nil || cmd == root && !strings.HasPrefix(words[0], "--") {
		d.Errorf("%s: `%s`: there is no such command", where, span)
		return
	}
	for _, w := range words {
		name, isFlag := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && name != "" && name != "help" && name != "version" && !hasFlag(cmd, strings.TrimRight(name, ",;.")) {
			d.Errorf("%s: `%s`: %s has no --%s", where, span, cmd.Name(), name)
		}
	}
}

func hasFlag(cmd *cobra.Command, name string) bool {
	return cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil
}
