package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

var committed = time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)

// TestBillFitsTheSchema: a bill is what CycloneDX 1.6 demands, and names what is linked.
func TestBillFitsTheSchema(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8", Main: debug.Module{Path: "github.com/lockbench/lockbench", Version: "v1.2.3"},
		Deps:     []*debug.Module{{Path: "example.org/a", Version: "v0.1.0+incompatible", Sum: "h1:abc="}},
		Settings: []debug.BuildSetting{{Key: "CGO_ENABLED", Value: "0"}},
	}
	terms := map[string]string{"std": "BSD-3-Clause", "github.com/lockbench/lockbench": "Apache-2.0", "example.org/a": "MIT AND BSD-3-Clause"}
	bom, err := bill(info, sha256.Sum256([]byte("binary")), committed, terms)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	must.Succeed(t, cyclonedx.NewBOMEncoder(&b, cyclonedx.BOMFileFormatJSON).EncodeVersion(bom, cyclonedx.SpecVersion1_6))
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(value); err != nil {
		t.Errorf("%v in %s", err, &b)
	}
	for _, part := range []string{"pkg:golang/example.org/a@v0.1.0%2Bincompatible", `"expression":"MIT AND BSD-3-Clause"`, "pkg:golang/std@go1.26.8", "h1:abc="} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("it lacks %s: %s", part, &b)
		}
	}
	delete(terms, "example.org/a")
	if _, err := bill(info, [32]byte{}, committed, terms); err == nil || !strings.Contains(err.Error(), "example.org/a") {
		t.Errorf("a module without a license: %v", err)
	}
	terms["example.org/a"], info.Deps[0].Replace = "MIT", &debug.Module{Path: "../a"}
	if _, err := bill(info, [32]byte{}, committed, terms); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("a module that is replaced: %v", err)
	}
}

// schema is CycloneDX's own, which lies beside its library. The two schemas that it refers to are only about names of
// licenses and about signatures; a bill has expressions, and no signature.
func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "schema", "bom-1.6.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var head struct {
		ID string `json:"$id"`
	}
	must.Succeed(t, json.Unmarshal(b, &head))
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	must.Succeed(t, c.AddResource(head.ID, doc))
	base := head.ID[:strings.LastIndex(head.ID, "/")+1]
	for name, text := range map[string]string{"spdx.schema.json": `{}`, "jsf-0.82.schema.json": `{"definitions": {"signature": {}}}`} {
		other, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		must.Succeed(t, c.AddResource(base+name, other))
	}
	s, err := c.Compile(head.ID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestArchivesAreTheSameAgain: written twice, with files of other times, they are the same to the byte, and tar and the
// checksums' own program read them.
func TestArchivesAreTheSameAgain(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "lockbench")
	files := []file{{name: "lockbench", path: program, mode: 0o755}, {name: "man/lockbench.1", data: []byte("page")}}
	var all [2][]string
	for i := range all {
		must.Succeed(t, os.WriteFile(program, []byte("program"), 0o600))
		must.Succeed(t, os.Chtimes(program, time.Time{}, committed.AddDate(i, 0, 0)))
		for name, write := range map[string]func(string, string, []file, time.Time) error{"a.tar.gz": writeTar, "a.zip": writeZip} {
			must.Succeed(t, write(filepath.Join(dir, name), "base", files, committed))
		}
		must.Succeed(t, writeSums(dir, []string{"a.zip", "a.tar.gz"}))
		b, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	if len(all[0]) != 2 || strings.Join(all[0], "\n") != strings.Join(all[1], "\n") || !strings.HasSuffix(all[0][0], "  a.tar.gz") {
		t.Errorf("sums %q, and then %q", all[0], all[1])
	}
	check := exec.Command("sha256sum", "-c", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	list, err := exec.Command("tar", "-tvzf", filepath.Join(dir, "a.tar.gz")).CombinedOutput()
	if err != nil || !strings.Contains(string(list), "-rwxr-xr-x 0/0") || !strings.Contains(string(list), "base/man/lockbench.1") {
		t.Errorf("%v: %s", err, list)
	}
}
