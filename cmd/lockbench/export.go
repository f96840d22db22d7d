package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/export"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/judge"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/results"
)

// exportFlags are the values of `lockbench export`'s flags.
type exportFlags struct {
	format, out, test string
	incident          int
}

func newExportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use: "export PATH", Short: "Write a history in the format of another tool",
		Long: `Writes one history of a saved run, or a history file, as

  edn        Jepsen's history: one map a line (docs/export.md lists the keys)
  porcupine  a page that shows who held each lock when, as Porcupine sees it; of at most 100 grants

--incident K writes only the smallest history that shows the K-th incident that check --explain tells.`,
		Example: `  lockbench export examples/history.jsonl --format edn --out history.edn
  lockbench export results/20261123T060000Z-partition --test etcd.unfenced.heeding --format porcupine --incident 1 --out incident.html`,
		Args: wants(1, 1, "the directory of one run, or one history file", "results/<run> --test <test>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(exportFormats(), f.format) {
				return usage(errors.New(nearest.Unknown("format", f.format, exportFormats())))
			}
			if f.incident < 0 || f.incident == 0 && cmd.Flags().Changed("incident") {
				return usage(fmt.Errorf("--incident %d: incidents are numbered from 1", f.incident))
			}
			return runExport(cmd.Context(), cmd.OutOrStdout(), args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "edn", "edn or porcupine")
	cmd.Flags().StringVar(&f.out, "out", "", "the file to write (default: standard output)")
	cmd.Flags().StringVar(&f.test, "test", "", "of a run: the test whose history to write")
	cmd.Flags().IntVar(&f.incident, "incident", 0, "only the lines that show the incident of this number")
	completeWords(cmd, "format", exportFormats())
	completeFiles(cmd, "out")
	completeTests(cmd, "test")
	return cmd
}

func exportFormats() []string { return []string{"edn", "porcupine"} }

func runExport(ctx context.Context, stdout io.Writer, path string, f exportFlags) error {
	path, opt, err := historyOf(path, f.test)
	if err != nil {
		return usage(err)
	}
	// A history that is not well formed is refused before anything is written.
	result, err := judge.File(path, opt)
	if err != nil {
		return badInput(err)
	}
	lines := export.Lines(func(yield func(*history.Op) error) error { return judge.Lines(path, yield) })
	if f.incident > 0 {
		ops, err := incidentOf(path, &result, f.incident)
		if err != nil {
			return badInput(err)
		}
		lines = func(yield func(*history.Op) error) error {
			for i := range ops {
				if err := yield(&ops[i]); err != nil {
					return err
				}
			}
			return nil
		}
	} else if n := result.Counts.Grants; f.format == "porcupine" && n > export.MaxPicture {
		return usage(fmt.Errorf("%s: %w", path, export.TooLarge(n)))
	}
	return writeOut(stdout, f.out, func(w io.Writer) error {
		w = interruptible{ctx, w}
		if f.format == "edn" {
			return export.EDN(w, lines)
		}
		var ops []history.Op
		if err := lines(func(op *history.Op) error {
			ops = append(ops, *op)
			return nil
		}); err != nil {
			return err
		}
		return usage(export.Picture(w, ops))
	})
}

// historyOf finds the history file of a test of a run, and how it is judged. A path that is a file is one itself.
func historyOf(path, test string) (string, checker.Options, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", checker.Options{}, orNewest(path, fmt.Errorf("export: %w", err))
	}
	if !st.IsDir() {
		if test != "" {
			return "", checker.Options{}, fmt.Errorf("--test %s: %s is a single history; --test chooses one of a run's", test, path)
		}
		return path, checker.Options{}, needRegular(path, st)
	}
	saved, err := results.Load(path)
	if err != nil {
		return "", checker.Options{}, err
	}
	var names []string
	for _, t := range saved.Run.Tests {
		if test == t.Name || test == "" && len(saved.Run.Tests) == 1 {
			return saved.Dir.History(t.Name), t.Check, nil
		}
		names = append(names, t.Name)
	}
	switch {
	case len(names) == 0:
		return "", checker.Options{}, fmt.Errorf("%s has no tests, so there is no history", path)
	case test == "":
		return "", checker.Options{}, fmt.Errorf("%s has several histories; choose one with --test: %s", path, strings.Join(names, ", "))
	}
	return "", checker.Options{}, errors.New(nearest.Unknown("test", test, names))
}

// incidentOf is the smallest history that shows an incident.
func incidentOf(path string, result *checker.Result, number int) ([]history.Op, error) {
	if n := len(result.Incidents); number > n {
		return nil, usage(fmt.Errorf("%s: there is no incident %d; it has %d", path, number, n))
	}
	one := checker.Result{Incidents: result.Incidents[number-1 : number]}
	all, err := judge.Explain(path, &one, 1, nil)
	if err != nil {
		return nil, err
	}
	if len(all[0].Minimal) == 0 {
		return nil, usage(fmt.Errorf("%s: incident %d has no smallest history, see docs/explain.md; export the whole one", path, number))
	}
	return all[0].Minimal, nil
}

// writeOut writes to the file, which is only there if all went well, or to stdout if it has no name.
func writeOut(stdout io.Writer, path string, write func(io.Writer) error) error {
	if path == "" {
		return write(stdout)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return usage(fmt.Errorf("--out %s is no file", path))
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return usage(fmt.Errorf("--out %s: make its directory, or choose another place: %w", path, err))
	}
	return usage(results.Dir(filepath.Dir(path)).Write(filepath.Base(path), write))
}
