package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/report/text"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// several is a series of scenarios under way. What it has done is on disk, as its runs, and nowhere else.
type several struct {
	*series
	plan.Series
	cmd    *cobra.Command
	flags  runFlags
	dir    results.Dir
	kept   map[int]string // directories of runs that are there already, by their place among Runs
	limit  uint64         // of open files
	took   time.Duration  // by the runs of this program that are over
	wanted time.Duration  // what they were expected to take
}

// runScenarios runs several scenarios in a directory of their own, or goes on where an earlier program ended there.
func runScenarios(cmd *cobra.Command, f runFlags, s plan.Series, limit uint64) (err error) {
	l := &several{series: &series{}, Series: s, cmd: cmd, flags: f, kept: map[int]string{}, limit: limit}
	if f.resume != "" {
		l.dir = results.Dir(f.resume)
	} else if l.dir, err = results.CreateSet(f.out, s.Name, time.Now()); err != nil {
		return exitError{exitInternal, err}
	}
	release, err := l.dir.Lock()
	if err != nil {
		return usage(err)
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := l.findKept(); err != nil {
		return usage(err)
	}
	l.flags.out = string(l.dir)
	if err := l.announce(); err != nil {
		return exitError{exitInternal, err}
	}
	for i := range l.Runs {
		l.run(i)
	}
	return l.end(l.report())
}

// findKept finds the runs that are there already, and moves those out of the way that were not over.
func (l *several) findKept() error {
	dirs, err := results.RunsIn(string(l.dir))
	if err != nil {
		return err
	}
	var unfinished []string
	for _, dir := range dirs {
		saved, err := results.LoadToJudge(dir)
		if err != nil {
			return err
		}
		i, err := l.placeOf(&saved)
		if err != nil {
			return fmt.Errorf("--resume: %w", err)
		}
		if _, twice := l.kept[i]; saved.Run.Status != results.Complete || twice {
			unfinished = append(unfinished, dir)
			continue
		}
		l.kept[i] = dir
	}
	for _, dir := range unfinished {
		if err := results.Dir(dir).Idle(); err != nil {
			return err
		}
		if err := replaced(dir); err != nil {
			return err
		}
	}
	return nil
}

// placeOf finds the planned run that a saved one is. The error says why there is none.
func (l *several) placeOf(saved *results.Saved) (int, error) {
	r := &saved.Run
	for i, p := range l.Runs {
		if p.Scenario.Name != r.Scenario || p.Change() != r.Sweep.String() {
			continue
		}
		if other := l.differs(p, r); other != "" {
			return 0, fmt.Errorf("%s has another %s: give the flags that the series began with", saved.Dir, other)
		}
		return i, nil
	}
	return 0, fmt.Errorf("%s is a run of %s, which is not asked for: give the flags that the series began with", saved.Dir, r.Subject())
}

// differs says in what a saved run is another one than planned; empty: in nothing.
func (l *several) differs(p plan.Run, saved *results.Run) string {
	want := results.Run{Outline: p.Scenario.Outline(), Sweep: saved.Sweep}
	plan.Document(p.Scenario, &want)
	was, is := saved.Settings(), want.Settings()
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if was[name] != is[name] {
			return fmt.Sprintf("%s (%s, and not %s)", name, was[name], is[name])
		}
	}
	switch names := report.DriverNames(saved); {
	case !slices.Equal(names, p.Names()):
		return fmt.Sprintf("choice of locks (%s, and not %s)", strings.Join(names, ", "), strings.Join(p.Names(), ", "))
	case saved.Direct != l.flags.direct:
		return "setting of --direct"
	case saved.Seed != p.Seed:
		return fmt.Sprintf("seed (%d, and not %d)", saved.Seed, p.Seed)
	}
	return ""
}

// seriesSeed is the seed of a series that was begun in a directory; !ok: none of its runs had begun.
func seriesSeed(dir string) (seed uint64, ok bool, err error) {
	dirs, err := results.RunsIn(dir)
	if err != nil || len(dirs) == 0 {
		return 0, false, err
	}
	saved, err := results.LoadToJudge(dirs[0])
	return saved.Run.Seed, err == nil, err
}

// replacedDir has, in the directory of a series, the runs that were not over when it was interrupted.
const replacedDir = "replaced"

// replaced moves a run to where no report looks for it.
func replaced(dir string) error {
	to := filepath.Join(filepath.Dir(dir), replacedDir)
	if err := os.Mkdir(to, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("put a run aside that was not over: %w", err)
	}
	if err := os.Rename(dir, filepath.Join(to, filepath.Base(dir))); err != nil {
		return fmt.Errorf("put a run aside that was not over: %w", err)
	}
	return nil
}

// announce says what there is to do, and how long it takes.
func (l *several) announce() error {
	left := l.left(-1)
	if l.flags.json {
		return endSeries(l.cmd.OutOrStdout(), progress.Event{Kind: progress.SeriesStarted, Dir: string(l.dir), Expected: left, Results: l.notRun()})
	}
	if l.flags.quiet {
		return nil
	}
	said := l.cmd.ErrOrStderr()
	kept := ""
	if len(l.kept) > 0 {
		kept = fmt.Sprintf(", %d of them over already", len(l.kept))
	}
	fmt.Fprintf(said, "lockbench: %d runs of %d scenarios%s; about %v, in %s\n", len(l.Runs), l.Scenarios(), kept, left.Round(time.Minute/6), printable(string(l.dir)))
	for _, n := range l.Left {
		fmt.Fprintf(said, "lockbench: %s: not applicable: %s\n", n.Scenario, n.Reason)
	}
	return nil
}

// notRun are the results of the scenarios that are left out.
func (l *several) notRun() []progress.Result {
	all := []progress.Result{}
	for _, n := range l.Left {
		all = append(all, progress.Result{Scenario: n.Scenario, Error: "not applicable: " + n.Reason, Tests: []progress.Verdict{}})
	}
	return all
}

// trust is how much weight the estimate has against what the runs really took.
const trust = 2 * time.Minute

// left estimates how long the runs after the i-th take. Those that are over tell how fast this machine is.
func (l *several) left(after int) time.Duration {
	var left time.Duration
	for i, p := range l.Runs {
		if _, kept := l.kept[i]; i > after && !kept {
			left += p.Expected()
		}
	}
	return time.Duration(float64(left) * float64(l.took+trust) / float64(l.wanted+trust))
}

// run does the i-th run, or takes what is there of it.
func (l *several) run(i int) {
	p := l.Runs[i]
	name := p.Scenario.Name
	if p.Path != "" {
		name += " with " + p.Change()
	}
	none := func(why string, code int) {
		l.add(name+": not run: "+why, code, ran{result: progress.Result{
			Scenario: p.Scenario.Name, Swept: p.Change(), Exit: code, Error: "not run: " + why, Tests: []progress.Verdict{},
		}})
	}
	dir, kept := l.kept[i]
	if l.cmd.Context().Err() != nil && !kept {
		none("interrupted", exitInterrupted)
		return
	}
	if err := p.CheckOpenFiles(l.limit, l.flags.direct); err != nil && !kept {
		none(err.Error(), exitUnknown)
		return
	}
	var r ran
	var err error
	if kept {
		r, err = l.take(p, dir)
	} else {
		began := time.Now()
		f := l.flags
		f.place = &progress.Place{N: i + 1, Of: len(l.Runs), Left: l.left(i)}
		r, err = runOne(l.cmd, f, p)
		l.took, l.wanted = l.took+time.Since(began), l.wanted+p.Expected()
	}
	code, said := exitOf(err)
	if said != nil {
		say(l.cmd.ErrOrStderr(), name+": ", said)
	}
	l.add(strings.TrimSuffix(fmt.Sprintf("%s: exit code %d, %s", name, code, r.result.Dir), ", "), code, r)
}

// take takes a run that is there already. One that was not judged any more is judged now.
func (l *several) take(p plan.Run, dir string) (ran, error) {
	saved, err := results.LoadToJudge(dir)
	var model *report.Model
	switch {
	case err != nil:
	case saved.Judged:
		if model, err = report.Build(dir); err == nil {
			err = outcome(model)
		}
	default:
		model, err = conclude(l.cmd.Context(), dir, nil)
	}
	r := ran{result(p, dir, model, err), model}
	r.result.Kept = true
	return r, err
}

// report saves the page of all runs, and says how each ended and where the page is.
func (l *several) report() error {
	var models []*report.Model
	for _, m := range l.models {
		if m != nil {
			models = append(models, m)
		}
	}
	out := l.cmd.OutOrStdout()
	all := report.Of(models...)
	if len(models) > 0 {
		if err := formats.Save(l.dir, all); err != nil {
			return err
		}
		l.flags.sayReport(l.dir)
	}
	if l.flags.json {
		return endSeries(out, progress.Event{Kind: progress.SeriesEnded, Dir: string(l.dir), Results: append(l.ended, l.notRun()...)})
	}
	fmt.Fprintln(out)
	return errors.Join(text.Overview(out, all, textOptions(l.cmd)), l.print(out), l.sayWhere(out, len(models) > 0))
}

// print writes a line for each run.
func (l *several) print(out io.Writer) error {
	opt := textOptions(l.cmd)
	all := slices.Clone(l.lines)
	for _, n := range l.Left {
		all = append(all, n.Scenario+": not applicable: "+n.Reason)
	}
	fmt.Fprintln(out, "The scenarios")
	for _, line := range all {
		if _, err := fmt.Fprintln(out, strings.Join(lines.Hang(printable(line), opt.Width, "  ", "    "), "\n")); err != nil {
			return err
		}
	}
	return nil
}

// sayWhere says where the page is, and how an interrupted series goes on.
func (l *several) sayWhere(out io.Writer, page bool) error {
	var err error
	if page {
		err = sayPage(out, string(l.dir))
	}
	if slices.Contains(l.codes, exitInterrupted) {
		fmt.Fprintf(out, "The same command with --resume %s goes on where this ended.\n", printable(string(l.dir)))
	}
	return err
}
