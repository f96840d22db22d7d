package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// defaultOut is where runs land unless --out says otherwise.
const defaultOut = "results"

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage(fmt.Errorf("%s takes no arguments, and was given %q", cmd.Name(), args[0]))
}

// runArgs refuses arguments, and says how a scenario is given, if one was meant.
func runArgs(cmd *cobra.Command, args []string) error {
	err := noArgs(cmd, args)
	if err == nil || cmd.Flags().Changed("scenario") {
		return err
	}
	meant := nearest.Of(args[0], scenarios.Names())
	if strings.HasSuffix(args[0], ".yaml") {
		meant = args[0]
	}
	if meant == "" {
		return err
	}
	return usage(fmt.Errorf("%w; did you mean --scenario %s?", err, meant))
}

// commandArgs refuses arguments of lockbench itself: they were meant to be a command.
func commandArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var commands []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			commands = append(commands, c.Name())
		}
	}
	return usage(fmt.Errorf("%s; see lockbench --help", nearest.Unknown("command", args[0], commands)))
}

// wants refuses fewer arguments than least and more than most. what says what they are, and example how they are given.
func wants(least, most int, what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if n := len(args); n < least || n > most {
			given := fmt.Sprint(n)
			if n == 0 {
				given = "nothing"
			}
			return usage(fmt.Errorf("%s needs %s, and was given %s: lockbench %s %s", cmd.Name(), what, given, cmd.Name(), example))
		}
		return nil
	}
}

// anyNumber is the most arguments of a command that takes as many as one likes.
const anyNumber = math.MaxInt

// flagError says what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	if bad := badValue(cmd, err); bad != nil {
		return usage(bad)
	}
	meant := ""
	if unknown, ok := errors.AsType[interface {
		error
		GetSpecifiedName() string
	}](err); ok && len(unknown.GetSpecifiedName()) > 1 {
		if name := nearest.Of(unknown.GetSpecifiedName(), flagNames(cmd)); name != "" && name != unknown.GetSpecifiedName() {
			meant = fmt.Sprintf("; did you mean --%s?", name)
		}
	}
	return usage(fmt.Errorf("%w%s; see %s --help", err, meant, cmd.CommandPath()))
}

// flagNames are the flags that a command has.
func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// badValue says of a flag's value what it should be, for which the flag library has the words of strconv only; nil:
// that is not what is wrong.
func badValue(cmd *cobra.Command, err error) error {
	bad, ok := errors.AsType[interface {
		error
		GetValue() string
	}](err)
	if !ok {
		return nil
	}
	// The library's type names the flag, too, but only for code that imports the library. Nothing here does.
	rest, _ := strings.CutPrefix(bad.Error(), fmt.Sprintf("invalid argument %q for ", bad.GetValue()))
	quoted, _ := strconv.QuotedPrefix(rest)
	name := strings.Trim(quoted, `"-`)
	flag := cmd.Flags().Lookup(name)
	if flag == nil {
		return nil
	}
	wanted := map[string]string{
		"int": "a whole number", "uint64": fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)), "float64": "a number",
		"bool": "true or false", "duration": `a duration such as "500ms" or "2s"`,
	}[flag.Value.Type()]
	switch {
	case name == "rounds":
		wanted = plan.RoundsWanted()
	case errors.Is(err, strconv.ErrRange) && flag.Value.Type() == "int":
		wanted += " that fits into 64 bits"
	case wanted == "":
		return nil
	}
	return fmt.Errorf("--%s: %q is not %s", name, bad.GetValue(), wanted)
}

// orNewest adds to the error of a directory which run is the newest, if that directory is not there.
func orNewest(dir string, err error) error {
	if err == nil {
		return nil
	}
	if _, statErr := os.Stat(dir); !errors.Is(statErr, fs.ErrNotExist) {
		return err
	}
	if newest := newestRun(defaultOut); newest != "" {
		return fmt.Errorf("%w; the newest run is %s", err, newest)
	}
	return err
}

// newestRun is the directory of the newest run, or rounds, below out; empty: there is none.
func newestRun(out string) string {
	entries, err := os.ReadDir(out)
	if err != nil {
		return ""
	}
	const stamp = "20060102T150405Z" // with which the names of lockbench's own directories begin
	for _, e := range slices.Backward(entries) {
		began, _, _ := strings.Cut(e.Name(), "-")
		if _, err := time.Parse(stamp, began); err != nil || !e.IsDir() {
			continue
		}
		dir := filepath.Join(out, e.Name())
		if _, err := results.Runs(dir); err == nil {
			return dir
		}
	}
	return ""
}
