package main

import (
	"cmp"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/licenses"
	"github.com/lockbench/lockbench/internal/lines"
)

// licensed is what version --licenses --json says of a module; docs/results.md describes it.
type licensed struct {
	Module  string   `json:"module"`
	Version string   `json:"version"`
	SPDX    string   `json:"spdx"`
	Texts   []string `json:"texts"`
}

// writeLicenses writes under which terms everything is that is compiled in on the system: a list, and then each text
// as it is, with the modules that it belongs to.
func writeLicenses(w io.Writer, system string, asJSON bool) error {
	list, err := licenses.Embedded()
	if err != nil {
		return err
	}
	list = list.On(system)
	if asJSON {
		var all struct {
			Modules []licensed        `json:"modules"`
			Texts   map[string]string `json:"texts"`
		}
		all.Texts = map[string]string{}
		for _, m := range list.Modules {
			all.Modules = append(all.Modules, licensed{m.Path, versionOf(m), m.SPDX, m.Texts})
			for _, name := range m.Texts {
				all.Texts[name] = list.Texts[name]
			}
		}
		return writeIndented(w, all)
	}
	width := columnsOf(w)
	var b strings.Builder
	owners := map[string][]string{}
	var order []string
	for _, m := range list.Modules {
		line := m.Path + " " + versionOf(m) + ": " + m.SPDX
		b.WriteString(strings.Join(lines.Hang(line, width, "", "  "), "\n") + "\n")
		for _, name := range m.Texts {
			if owners[name] == nil {
				order = append(order, name)
			}
			owners[name] = append(owners[name], m.Path)
		}
	}
	for _, name := range order {
		b.WriteString("\n" + strings.Repeat("─", min(width, 72)) + "\n" + strings.Join(slices.Compact(owners[name]), "\n") + "\n\n" + list.Texts[name])
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// versionOf is a module's version; that of lockbench and Go is this build's.
func versionOf(m licenses.Module) string {
	own, _ := identity()
	return cmp.Or(m.Version, map[string]string{licenses.Own: own, licenses.Go: runtime.Version()}[m.Path])
}
