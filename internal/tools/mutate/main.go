// Command mutate breaks a package in one place at a time, and runs the package's tests on each such mutant. A mutant
// that no test notices is a survivor: a test is missing, or the place makes no difference.
//
// usage: mutate [-n N] [-seed S] [-least PERCENT] [-known FILE] DIR
// FILE lists survivors that are known to make no difference, with the reason, as they are printed.
// Exit: 0; 1 if fewer than PERCENT of the mutants were caught; 2 if they could not be made.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// limit is how long the tests of one mutant may run. One that never ends is caught.
const limit = 3 * time.Minute

func main() {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt)
	defer end()
	os.Exit(run(ctx, os.Stdout, os.Stderr, os.Args[1:]))
}

func run(ctx context.Context, w, wErr io.Writer, args []string) int {
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.SetOutput(wErr)
	n := flags.Int("n", 0, "how many mutants to try, at random; 0: all")
	seed := flags.Uint64("seed", uint64(time.Now().UnixNano()), "of the choice")
	least := flags.Float64("least", 95, "percent of the mutants that must be caught")
	known := flags.String("known", "", "a file of survivors that make no difference")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		fmt.Fprintln(wErr, "usage: mutate [-n N] [-seed S] [-least PERCENT] [-known FILE] DIR")
		return 2
	}
	dir := flags.Arg(0)
	mutants, err := find(dir)
	if err == nil && *known != "" {
		mutants, err = without(mutants, *known)
	}
	if err != nil {
		fmt.Fprintf(wErr, "mutate: %v\n", err)
		return 2
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	random.Shuffle(len(mutants), func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
	fmt.Fprintf(w, "%s: %d mutants, seed %d\n", dir, len(mutants), *seed)
	caught, survived := 0, 0
	for _, m := range mutants {
		if *n > 0 && caught+survived == *n {
			break
		}
		lives, err := m.try(ctx, dir)
		if ctx.Err() != nil {
			break // what was found until then is told
		}
		switch {
		case err != nil:
			fmt.Fprintf(wErr, "mutate: %s: %v\n", &m, err)
			return 2
		case lives == nil: // it does not compile
		case *lives:
			survived++
			fmt.Fprintf(w, "survived: %s\n", &m)
		default:
			caught++
		}
	}
	share := 100 * float64(caught) / float64(max(1, caught+survived))
	fmt.Fprintf(w, "caught %d of %d mutants, %.1f %%; %.0f %% are wanted\n", caught, caught+survived, share, *least)
	if caught == 0 || share < *least {
		return 1
	}
	return 0
}

// without leaves out the mutants that a file lists, a line each and behind it the reason. A line of the file that fits
// no mutant any more is an error.
func without(mutants []mutant, path string) ([]mutant, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, line := range strings.Split(string(b), "\n") {
		if name, _, ok := strings.Cut(line, " # "); ok {
			listed[name] = false
		} else if line != "" {
			return nil, fmt.Errorf("%s: %q has no reason behind ' # '", path, line)
		}
	}
	var left []mutant
	for _, m := range mutants {
		if _, ok := listed[m.String()]; ok {
			listed[m.String()] = true
		} else {
			left = append(left, m)
		}
	}
	for name, found := range listed {
		if !found {
			return nil, fmt.Errorf("%s: there is no such mutant any more: %s", path, name)
		}
	}
	return left, nil
}

// try runs the tests on the mutant, and reports whether it lives; nil: it does not compile.
func (m *mutant) try(ctx context.Context, dir string) (lives *bool, err error) {
	tmp, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	file, err := filepath.Abs(m.file)
	if err != nil {
		return nil, err
	}
	changed, overlay, binary := filepath.Join(tmp, "mutant.go"), filepath.Join(tmp, "overlay.json"), filepath.Join(tmp, "tests")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err == nil {
		err = errors.Join(os.WriteFile(changed, m.text, 0o600), os.WriteFile(overlay, replace, 0o600))
	}
	if err != nil {
		return nil, err
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, "./"+filepath.ToSlash(filepath.Clean(dir)))
	if out, err := build.CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte(filepath.Base(m.file))) || bytes.Contains(out, []byte("mutant.go")) {
			return nil, nil
		}
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	alive := true
	for _, few := range [][]string{{"-rapid.checks=40"}, nil} { // most are caught at once
		if alive, err = passes(ctx, dir, binary, few); err != nil || !alive {
			break
		}
	}
	return &alive, err
}

// passes reports whether the tests pass.
func passes(ctx context.Context, dir, binary string, args []string) (bool, error) {
	ctx, end := context.WithTimeout(ctx, limit)
	defer end()
	tests := exec.CommandContext(ctx, binary, append([]string{"-test.failfast", "-rapid.nofailfile"}, args...)...)
	tests.Dir = dir
	err := tests.Run()
	var failed *exec.ExitError
	if err == nil || errors.As(err, &failed) || ctx.Err() != nil {
		return err == nil, nil
	}
	return false, err
}
