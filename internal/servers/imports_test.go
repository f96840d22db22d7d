package servers

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A recipe may run in a container or a pod: it touches files, users, processes and ports through its Host only.
func TestRecipesTouchNoMachine(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	recipes := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		recipes++
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(path, "/"); first == "os" || first == "syscall" || strings.HasSuffix(path, "provision/local") {
				t.Errorf("%s imports %s", file, path)
			}
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, banned := range []string{"net.Listen(", `"127.`, `"localhost`} {
			if strings.Contains(string(source), banned) {
				t.Errorf("%s has %s", file, banned)
			}
		}
	}
	if recipes < 5 {
		t.Fatalf("only %d files of recipes were read", recipes)
	}
}
