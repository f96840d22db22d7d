// Command testskips reads what `go test -json` wrote and says, in one last line, what was skipped. A test may skip
// for something that this machine cannot do, and then says what ("SKIPPED, NOT PROVEN: no Docker engine"). Any other
// skip is an error where nobody would notice it: in CI.
//
// usage: testskips FILE
// Exit: 0; 1 if CI is set and a test skipped without saying what is not proven; 2 if FILE cannot be read.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// marker begins the message of a skip that names what is not proven.
const marker = "SKIPPED, NOT PROVEN: "

// skips are the tests that skipped.
type skips struct {
	// unproven lists the tests by what they could not prove.
	unproven map[string][]string
	// unexplained lists those that gave no such reason.
	unexplained []string
}

func main() { os.Exit(run(os.Stdout, os.Stderr, os.Args[1:], os.Getenv("CI") != "")) }

func run(w, wErr io.Writer, args []string, ci bool) int {
	if len(args) != 1 {
		fmt.Fprintln(wErr, "usage: testskips FILE")
		return 2
	}
	s, err := load(args[0])
	if err != nil {
		fmt.Fprintf(wErr, "testskips: %v\n", err)
		return 2
	}
	if len(s.unexplained) > 0 {
		fmt.Fprintf(wErr, "skipped without saying %q: %s\n", marker, strings.Join(s.unexplained, ", "))
	}
	fmt.Fprintln(w, s.line())
	if ci && len(s.unexplained) > 0 {
		return 1
	}
	return 0
}

func load(path string) (skips, error) {
	f, err := os.Open(path)
	if err != nil {
		return skips{}, fmt.Errorf("read the events of the tests: %w", err)
	}
	defer f.Close()
	s, err := read(f)
	if err != nil {
		return skips{}, fmt.Errorf("read the events of the tests in %s: %w", path, err)
	}
	return s, nil
}

// read collects the skips of a stream of events (`go doc test2json`), one a line.
func read(r io.Reader) (skips, error) {
	type name struct{ pkg, test string }
	reasons := map[name]string{}
	s := skips{unproven: map[string][]string{}}
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e struct{ Action, Package, Test, Output string }
			if err := json.Unmarshal(line, &e); err != nil {
				return skips{}, fmt.Errorf("line %d: %w", n, err)
			}
			id := name{e.Package, e.Test}
			if _, reason, ok := strings.Cut(e.Output, marker); ok && e.Action == "output" {
				reasons[id] = strings.TrimSpace(reason)
			}
			if e.Action == "skip" && e.Test != "" { // without a test it is a package that has none
				if reason, ok := reasons[id]; ok {
					s.unproven[reason] = append(s.unproven[reason], e.Test)
				} else {
					s.unexplained = append(s.unexplained, e.Package+" "+e.Test)
				}
			}
		}
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return skips{}, err
		}
	}
}

// line says what is not proven, the reasons in order.
func (s skips) line() string {
	if len(s.unproven) == 0 {
		return "skipped for want of a capability of this machine: nothing"
	}
	var parts []string
	for reason, tests := range s.unproven {
		parts = append(parts, fmt.Sprintf("%s (%s)", reason, strings.Join(tests, ", ")))
	}
	slices.Sort(parts)
	return "SKIPPED, NOT PROVEN on this machine: " + strings.Join(parts, "; ")
}
