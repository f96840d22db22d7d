package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
)

// Set is one run, or several in one directory.
type Set struct {
	Path string
	Runs []*report.Model
}

// Read reads the run, or all runs, that a path stands for. Its errors are as those of report.Build.
func Read(path string) (*Set, error) {
	dirs, err := results.Runs(path)
	if err != nil {
		return nil, err
	}
	s := &Set{Path: path}
	for _, dir := range dirs {
		m, err := report.Build(dir)
		if err != nil {
			return nil, err
		}
		s.Runs = append(s.Runs, m)
	}
	return s, nil
}

// AreRounds reports whether there is more than one run, and all are rounds of the same.
func (s *Set) AreRounds() bool { return len(s.Runs) > 1 && s.Same() == nil }

// Same returns nil if the runs are rounds of the same: different runs of one scenario under one workload. Else the
// error says which are not.
func (s *Set) Same() error {
	if len(s.Runs) == 0 {
		return fmt.Errorf("%s: there is no run", s.Path)
	}
	for i, m := range s.Runs[1:] {
		for _, o := range s.Runs[:i+1] {
			if m.Run.Seed == o.Run.Seed && m.Run.Started.Equal(o.Run.Started) && !m.Run.Started.IsZero() {
				return fmt.Errorf("%s: %s and %s are the same run, and it counts once: remove one", s.Path, o.Dir, m.Dir)
			}
		}
		if all := differences(&s.Runs[0].Run, &m.Run); len(all) > 0 {
			return fmt.Errorf("%s: its runs are not rounds of the same, which alone may be put together: %s and %s differ in %s",
				s.Path, s.Runs[0].Dir, m.Dir, strings.Join(all, ", "))
		}
	}
	return nil
}

// differences lists what makes two runs incomparable, as "ttl (2s, 4s)".
func differences(a, b *results.Run) []string {
	var all []string
	add := func(name, a, b string) {
		switch {
		case a == b:
		case name == results.OutlineSetting: // too long for a line
			all = append(all, name)
		default:
			all = append(all, fmt.Sprintf("%s (%s, %s)", name, cmp.Or(a, "none"), cmp.Or(b, "none")))
		}
	}
	add("scenario", a.Scenario, b.Scenario)
	add("drivers", strings.Join(report.DriverNames(a), " "), strings.Join(report.DriverNames(b), " "))
	ofA, ofB := a.Settings(), b.Settings()
	names := maps.Clone(ofA)
	maps.Copy(names, ofB)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(name, ofA[name], ofB[name])
	}
	add("proxies", report.Proxies(a), report.Proxies(b))
	return all
}

// surroundings lists what else two runs differ in, which may explain a difference of what was measured.
func surroundings(a, b *results.Run) []string {
	var all []string
	add := func(name, a, b string) {
		if a != b {
			all = append(all, fmt.Sprintf("%s (%s, %s)", name, cmp.Or(a, "unknown"), cmp.Or(b, "unknown")))
		}
	}
	add("lockbench", strings.TrimSpace(a.Version+" "+a.Commit), strings.TrimSpace(b.Version+" "+b.Commit))
	add("CPU", a.Host.CPU, b.Host.CPU)
	add("cores", fmt.Sprint(a.Host.Cores), fmt.Sprint(b.Host.Cores))
	add("memory", units.Number(float64(a.Host.Memory)/(1<<30))+" GiB", units.Number(float64(b.Host.Memory)/(1<<30))+" GiB")
	add("kernel", a.Host.Kernel, b.Host.Kernel)
	add("system", a.Host.OS+"/"+a.Host.Arch, b.Host.OS+"/"+b.Host.Arch)
	add("Go", a.Host.Go, b.Host.Go)
	for _, d := range a.Drivers {
		if i := slices.IndexFunc(b.Drivers, func(o results.Driver) bool { return o.Name == d.Name }); i >= 0 && d.Version != "" && b.Drivers[i].Version != "" {
			add("servers of "+d.Title, d.Version, b.Drivers[i].Version)
		}
		if i := slices.IndexFunc(b.Drivers, func(o results.Driver) bool { return o.Name == d.Name }); i >= 0 {
			add("what an acquire of "+d.Title+" takes", report.Complexity(&d, "round trip"), report.Complexity(&b.Drivers[i], "round trip"))
		}
	}
	return all
}
