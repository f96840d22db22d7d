// Package licenses knows under which terms everything in the binary is: lockbench itself, Go and every module that is
// compiled in. What it knows is gathered by internal/tools/licenses.
package licenses

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"

	"golang.org/x/tools/txtar"
)

// The modules that are none of go.mod's requirements.
const (
	Own = "github.com/lockbench/lockbench"
	Go  = "std" // Go's runtime and standard library
)

//go:embed licenses.txtar
var embedded []byte

// Module is a module of which something is compiled in.
type Module struct {
	Path string `json:"path"`
	// Version is as go.mod has it; empty: what the build says of itself.
	Version string `json:"version,omitempty"`
	// SPDX is the expression of its licenses' names.
	SPDX string `json:"spdx"`
	// Systems are the operating systems (GOOS) for which it is compiled in; empty: all.
	Systems []string `json:"systems,omitempty"`
	// Texts are the names of its licenses and notices in the list.
	Texts []string `json:"texts"`
}

// On reports whether it is compiled in on the operating system.
func (m Module) On(system string) bool {
	return len(m.Systems) == 0 || slices.Contains(m.Systems, system)
}

// List has the modules, and the texts by name.
type List struct {
	Modules []Module
	Texts   map[string]string
}

// modulesFile is the file of the archive that has the modules; every other one is a text.
const modulesFile = "modules.json"

// Embedded is the list of this binary's source.
func Embedded() (List, error) { return Parse(embedded) }

// Parse reads what Format has written.
func Parse(b []byte) (l List, err error) {
	l.Texts = map[string]string{}
	for _, f := range txtar.Parse(b).Files {
		if f.Name != modulesFile {
			l.Texts[f.Name] = string(f.Data)
		} else if err := json.Unmarshal(f.Data, &l.Modules); err != nil {
			return l, fmt.Errorf("read the list of licenses: %w", err)
		}
	}
	return l, nil
}

// Format writes the list as an archive that a person can read, too.
func (l List) Format() ([]byte, error) {
	modules, err := json.MarshalIndent(l.Modules, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write the list of licenses: %w", err)
	}
	a := txtar.Archive{
		Comment: []byte("The licenses of what is compiled into lockbench. Written by go run ./internal/tools/licenses; do not edit.\n"),
		Files:   []txtar.File{{Name: modulesFile, Data: modules}},
	}
	var names []string
	for name := range l.Texts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(l.Texts[name])})
	}
	return txtar.Format(&a), nil
}

// On is the part of the list that is compiled in on the operating system.
func (l List) On(system string) List {
	part := List{Texts: l.Texts}
	for _, m := range l.Modules {
		if m.On(system) {
			part.Modules = append(part.Modules, m)
		}
	}
	return part
}
