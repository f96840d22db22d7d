package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/scenarios"
)

// choosing are the flags that change a scenario or the locks that run it, each with what it was given.
func (f Flags) choosing() map[string]any {
	return map[string]any{
		"clients": f.Clients, "workers": f.Workers, "ttl": f.TTL, "hold": f.Hold, "fencing": f.Fencing, "lost": f.Lost,
		"resource": f.Resource, "rate": f.Rate, "duration": f.Duration, "driver": strings.Join(f.Drivers, ","),
	}
}

// given lists those of them that were given, by name.
func (f Flags) given() (names []string) {
	for name := range f.choosing() {
		if f.Changed(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// without is the flags as if some of them had not been given.
func (f Flags) without(names ...string) Flags {
	changed := f.Changed
	f.Changed = func(name string) bool { return !slices.Contains(names, name) && changed(name) }
	if slices.Contains(names, "driver") {
		f.Drivers = nil
	}
	return f
}

// blame lets every problem that a flag brought about name the flag. The scenario's file has nothing to mend then, and
// may be one that the user has never seen.
func (c Catalog) blame(f Flags, s scenarios.Scenario, err error) error {
	given := f.given()
	if err == nil || len(given) == 0 {
		return err
	}
	stays := func(p *scenarios.Problem, without ...string) bool {
		_, err := c.plain(f.without(without...), s)
		return slices.ContainsFunc(problemsOf(err), func(o *scenarios.Problem) bool { return o.Path == p.Path })
	}
	var errs []error
	for _, e := range parts(err) {
		p, ok := errors.AsType[*scenarios.Problem](e)
		if !ok || p.Path == "" {
			errs = append(errs, e)
			continue
		}
		own, _ := strings.CutPrefix(p.Path, "$.workload.")
		guilty := slices.DeleteFunc(slices.Clone(given), func(name string) bool { return stays(p, name) })
		if len(guilty) == 0 {
			guilty = given // any one of them is enough to bring it about, or none of them does
		}
		switch {
		case slices.Contains(given, own):
			e = fmt.Errorf("--%s: %s", own, p.Text)
		case !stays(p, given...):
			e = fmt.Errorf("%s: %s: %s", f.written(guilty), p.Path, p.Text)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// blameSweep lets the problems that --sweep brought about name it. others are those that there are without it.
func (f Flags) blameSweep(err error, others []*scenarios.Problem) error {
	if !f.Changed("sweep") {
		return err
	}
	var errs []error
	for _, e := range parts(err) {
		p, ok := errors.AsType[*scenarios.Problem](e)
		switch {
		case !ok || slices.ContainsFunc(others, func(o *scenarios.Problem) bool { return o.Path == p.Path }):
		case strings.HasPrefix(p.Path, "$.sweep"):
			e = fmt.Errorf("--sweep: %s", p.Text)
		default:
			e = fmt.Errorf("--sweep: %s: %s", p.Path, p.Text)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// written are flags as a command line has them.
func (f Flags) written(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf("--%s %v", name, f.choosing()[name]))
	}
	return strings.Join(all, " ")
}

// problemsOf are the Problems that an error joins.
func problemsOf(err error) (all []*scenarios.Problem) {
	for _, part := range parts(err) {
		if p, ok := errors.AsType[*scenarios.Problem](part); ok {
			all = append(all, p)
		}
	}
	return all
}

// parts are the errors that an error joins; one that joins none is its only part.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
