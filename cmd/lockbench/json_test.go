package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/doctor"
	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestJSONForPrograms holds what list, version and doctor write for programs. What is this machine's or this build's is left out.
func TestJSONForPrograms(t *testing.T) {
	golden.Compare(t, "testdata/list.json", firstOfEach(t, output(t, "list", "--json")))
	own := regexp.MustCompile(`(": ").*(",?\n)`)
	golden.Compare(t, "testdata/version.json", []byte(own.ReplaceAllString(output(t, "version", "--json"), "$1…$2")))
	var b strings.Builder
	must.Succeed(t, writeIndented(&b, []doctor.Check{
		{Name: "redis", State: doctor.OK, Version: "8.0.2", Detail: "/usr/bin/redis-server"},
		{Name: "zookeeper", State: doctor.Missing, Detail: "not installed", Advice: "make setup installs it"},
	}))
	golden.Compare(t, "testdata/doctor.json", []byte(b.String()))
	var checks []doctor.Check
	if err := json.Unmarshal([]byte(doctorOutput(t)), &checks); err != nil || len(checks) == 0 || checks[0].Name == "" {
		t.Errorf("doctor --json: %v, %+v", err, checks)
	}
}

// doctorOutput is what doctor --json prints, whatever is installed here.
func doctorOutput(t *testing.T) string {
	var out, said strings.Builder
	if code := program(t.Context(), nil, &out, &said, []string{"doctor", "--json"}); code != exitValid && code != exitUnknown || said.Len() > 0 {
		t.Errorf("exit code %d: %s", code, &said)
	}
	return out.String()
}

// firstOfEach is the list with the first of each kind: the others say nothing new about the shape.
func firstOfEach(t *testing.T, list string) []byte {
	t.Helper()
	var l library
	must.Succeed(t, json.Unmarshal([]byte(list), &l))
	l.Scenarios, l.Drivers, l.Faults = l.Scenarios[:1], l.Drivers[:1], l.Faults[:1]
	var b strings.Builder
	must.Succeed(t, writeIndented(&b, l))
	return []byte(b.String())
}
