package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"

	"github.com/lockbench/lockbench/internal/licenses"
)

// command is the package whose dependencies count.
const command = "./cmd/lockbench"

// legal is what files with terms are called.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents)([-_.].*)?$`)

// special are modules that say their terms in words of their own: the expression for them, and the files with the texts.
var special = map[string]struct {
	spdx  string
	texts []string
}{
	"github.com/golang/freetype": {"FTL OR GPL-2.0-or-later", []string{"licenses/ftl.txt", "licenses/gpl.txt"}},
}

// patents is what licensecheck calls a grant that stands beside a license. SPDX has no name for it.
const patents = "GooglePatentsFile"

// linked is a module of which some packages are compiled in.
type linked struct {
	licenses.Module
	root string
	dirs []string // of its packages
}

// gather makes the list for lockbench in the directory, on the systems.
func gather(dir string, systems []string) (licenses.List, error) {
	list := licenses.List{Texts: map[string]string{}}
	found, err := modules(dir, systems)
	if err != nil {
		return list, err
	}
	for _, m := range found {
		if m.Path != licenses.Own && m.Path != licenses.Go {
			m.Systems = except(systems, m.Systems)
		} else {
			m.Systems = nil
		}
		if err := m.read(list.Texts); err != nil {
			return list, err
		}
		list.Modules = append(list.Modules, m.Module)
	}
	return list, nil
}

// except is nil if a module is compiled in everywhere.
func except(all, systems []string) []string {
	if len(systems) == len(all) {
		return nil
	}
	return systems
}

// modules lists what is compiled in on any of the systems: lockbench, Go, and the rest by name.
func modules(dir string, systems []string) ([]*linked, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	goroot := strings.TrimSpace(string(root))
	byPath := map[string]*linked{}
	for _, system := range systems {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}\t{{.Dir}}", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list on %s: %w: %s", system, err, &said)
		}
		lines := bufio.NewScanner(bytes.NewReader(out))
		for lines.Scan() {
			fields := strings.Split(lines.Text(), "\t")
			if len(fields) < 4 { // of Go itself
				fields = []string{licenses.Go, "", goroot, ""}
			}
			m := byPath[fields[0]]
			if m == nil {
				m = &linked{Module: licenses.Module{Path: fields[0], Version: fields[1]}, root: fields[2]}
				byPath[m.Path] = m
			}
			if !slices.Contains(m.Systems, system) {
				m.Systems = append(m.Systems, system)
			}
			if fields[3] != "" {
				m.dirs = append(m.dirs, fields[3])
			}
		}
	}
	var all []*linked
	for _, m := range byPath {
		all = append(all, m)
	}
	rank := map[string]int{licenses.Own: -2, licenses.Go: -1}
	slices.SortFunc(all, func(a, b *linked) int {
		return cmp.Or(rank[a.Path]-rank[b.Path], strings.Compare(a.Path, b.Path))
	})
	return all, nil
}

// read finds the module's terms: those of its root, and those that stand beside a package of it.
func (m *linked) read(texts map[string]string) error {
	var ids []string
	for _, dir := range m.places() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() || !legal.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			b, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			for _, match := range licensecheck.Scan(b).Match {
				if grant := match.ID == patents; !grant && !match.IsURL && !slices.Contains(ids, match.ID) {
					ids = append(ids, match.ID)
				}
			}
			m.Texts = append(m.Texts, keep(texts, m.Path+"/"+e.Name(), string(b)))
		}
	}
	if s, is := special[m.Path]; is {
		ids = []string{s.spdx}
		for _, name := range s.texts {
			b, err := os.ReadFile(filepath.Join(m.root, name))
			if err != nil {
				return err
			}
			m.Texts = append(m.Texts, keep(texts, m.Path+"/"+name, string(b)))
		}
	}
	if len(ids) == 0 {
		return errors.New(m.Path + ": no license is known by its text in " + m.root)
	}
	m.SPDX = strings.Join(ids, " AND ")
	return nil
}

// places are the directories from the module's root to its packages that are compiled in.
func (m *linked) places() []string {
	all := []string{m.root}
	for _, dir := range m.dirs {
		for ; len(dir) > len(m.root); dir = filepath.Dir(dir) {
			if !slices.Contains(all, dir) {
				all = append(all, dir)
			}
		}
	}
	slices.Sort(all)
	return all
}

// keep puts a text among the texts, once, and returns its name.
func keep(texts map[string]string, name, text string) string {
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n ") + "\n"
	for other, has := range texts {
		if has == text {
			return other
		}
	}
	for n := 2; texts[name] != ""; n++ {
		name = fmt.Sprintf("%s-%d", strings.TrimSuffix(name, fmt.Sprintf("-%d", n-1)), n)
	}
	texts[name] = text
	return name
}
