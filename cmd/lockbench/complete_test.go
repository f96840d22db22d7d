package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/report/formats"
	"github.com/lockbench/lockbench/scenarios"
)

// offered is what the shell gets to offer, and what it is to do with that.
func offered(t *testing.T, args ...string) (words []string, then cobra.ShellCompDirective) {
	t.Helper()
	for line := range strings.Lines(output(t, append([]string{"__complete"}, args...)...)) {
		line = strings.TrimSuffix(line, "\n")
		if n, ok := strings.CutPrefix(line, ":"); ok {
			for _, c := range n {
				then = then*10 + cobra.ShellCompDirective(c-'0')
			}
			return words, then
		}
		word, _, _ := strings.Cut(line, "\t")
		words = append(words, word)
	}
	t.Fatalf("%q: no directive after %q", args, words)
	return nil, 0
}

// TestCompletion asks for completions as a shell does.
func TestCompletion(t *testing.T) {
	run := filepath.Join(t.TempDir(), "run")
	must.Succeed(t, os.Mkdir(run, 0o700))
	must.Succeed(t, os.WriteFile(filepath.Join(run, "run.json"), []byte(`{"format": 1, "scenario": "s", "status": "complete",
 "drivers": [{"name": "etcd"}], "tests": [{"name": "etcd.a", "driver": "etcd"}, {"name": "etcd.b", "driver": "etcd"}]}`), 0o600))
	const (
		anyFile = cobra.ShellCompDirectiveDefault
		noFile  = cobra.ShellCompDirectiveNoFileComp
		ending  = cobra.ShellCompDirectiveFilterFileExt
		folder  = cobra.ShellCompDirectiveFilterDirs
		list    = noFile | cobra.ShellCompDirectiveNoSpace
	)
	var drivers, others []string
	for _, d := range all.Drivers() {
		drivers = append(drivers, d.Info.Name)
		if d.Info.Name != "etcd" {
			others = append(others, "etcd,"+d.Info.Name)
		}
	}
	var zookeeper []string
	for _, d := range drivers {
		if strings.HasPrefix(d, "zo") {
			zookeeper = append(zookeeper, "redis-setnx,etcd,"+d)
		}
	}
	for _, tt := range []struct {
		args string // the last is what was begun; "-": nothing was
		want []string
		then cobra.ShellCompDirective
	}{
		{"run --driver -", drivers, list},
		{"run --driver etcd,", others, list},
		{"run --driver redis-setnx,etcd,zo", zookeeper, list},
		{"run --driver=redis-setnx,etcd,zo", zookeeper, list},
		{"run --scenario -", scenarios.Names(), noFile},
		{"run --scenario clock-j", []string{"clock-jump"}, noFile},
		{"run --scenario ./mi", []string{"yaml"}, ending},
		{"run --schedule -", []string{"yaml"}, ending},
		{"run --fencing -", []string{"fenced", "unfenced", "both"}, noFile},
		{"run --lost -", []string{"heeding", "ignoring", "both"}, noFile},
		{"run --resource -", resourceNames(), noFile},
		{"run --color -", colorModes, noFile},
		{"run --out -", nil, folder},
		{"run --ttl -", nil, noFile},
		{"run --seed -", nil, noFile},
		{"run --sweep -", nil, noFile},
		{"run -", nil, noFile},
		{"check -", nil, anyFile},
		{"check --format -", checkFormats(), noFile},
		{"check --granted-within -", nil, noFile},
		{"report -", nil, folder},
		{"report --format -", formats.Names(formats.All()), noFile},
		{"compare results/a -", nil, folder},
		{"compare --format -", formats.Names(formats.OfComparisons()), noFile},
		{"export -", nil, anyFile},
		{"export --format -", exportFormats(), noFile},
		{"export --out -", nil, anyFile},
		{"export --incident -", nil, noFile},
		{"export " + run + " --test -", []string{"etcd.a", "etcd.b"}, noFile},
		{"export " + run + " --test etcd.b", []string{"etcd.b"}, noFile},
		{"export --test -", nil, noFile},
		{"list -", []string{"scenarios", "drivers", "faults"}, noFile},
		{"doctor -", nil, noFile},
		{"version -", nil, noFile},
		{"schema -", nil, noFile},
	} {
		args := strings.Fields(tt.args)
		if last := &args[len(args)-1]; *last == "-" {
			*last = ""
		}
		words, then := offered(t, args...)
		slices.Sort(words)
		want := slices.Clone(tt.want)
		slices.Sort(want)
		if !slices.Equal(words, want) || then != tt.then {
			t.Errorf("%s: it offers %q, %d; want %q, %d", tt.args, words, then, want, tt.then)
		}
	}
}

// TestEveryTextFlagHasACompletion: a flag that takes a text takes names or files, or is listed here.
func TestEveryTextFlagHasACompletion(t *testing.T) {
	free := []string{"sweep", "hold"}
	for _, cmd := range newRootCommand().Commands() {
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.HasPrefix(f.Value.Type(), "string") || slices.Contains(free, f.Name) {
				return
			}
			complete, has := cmd.GetFlagCompletionFunc(f.Name)
			if !has {
				t.Errorf("%s --%s has none", cmd.Name(), f.Name)
				return
			}
			words, then := complete(cmd, nil, "")
			if len(words) == 0 && then == cobra.ShellCompDirectiveNoFileComp && f.Name != "test" {
				t.Errorf("%s --%s offers nothing", cmd.Name(), f.Name)
			}
		})
	}
}
