// Command record runs the schedules that are known to break locks, and those that must not, with one seed after
// another, and writes docs/record.md: what was found in how many. It fails when something known is no longer found,
// or something is found that must not be.
//
//	go run ./internal/tools/record -seeds 10 -out results/record client-pause long-task
//
// Without names it runs every shard. What a seed showed is kept below -out, and is not run again for the same commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/run/roles"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := program(ctx, os.Stdin, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		stop()
		os.Exit(1)
	}
}

// program is the whole program. Like lockbench it starts itself again as clients, servers and janitor.
func program(ctx context.Context, in io.Reader, out io.Writer, args []string) error {
	if len(args) > 0 {
		if role := roles.Of(ctx, in, out, all.Drivers())[args[0]]; role != nil {
			return role(args[1:])
		}
	}
	fl := flag.NewFlagSet("record", flag.ContinueOnError)
	seeds := fl.Int("seeds", 10, "how many seeds to try, from 1")
	dir := fl.String("out", "results/record", "directory that keeps what each seed showed")
	doc := fl.String("doc", "docs/record.md", "file to write; empty: none")
	commit := fl.String("commit", "", "commit that is recorded; what another one showed is run again")
	if err := fl.Parse(args); err != nil {
		return err
	}
	wanted, err := choose(fl.Args())
	if err != nil {
		return err
	}
	store := store{dir: *dir, commit: *commit}
	var errs []error
	for _, s := range wanted {
		if err := record(ctx, s, *seeds, store, out); err != nil {
			errs = append(errs, fmt.Errorf("shard %s: %w", s.name, err))
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, errors.New("interrupted; what is done is kept"))...)
		}
	}
	rows, err := store.rows(wanted, *seeds)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if *doc != "" {
		ran := func(name string) bool {
			return slices.ContainsFunc(wanted, func(s shard) bool { return s.name == name })
		}
		errs = append(errs, writePage(*doc, shards(), ran, rows, *seeds, *commit))
	}
	for _, row := range rows {
		fmt.Fprintln(out, row)
		errs = append(errs, row.failure(*seeds))
	}
	return errors.Join(errs...)
}

// choose finds shards by name; none named: all.
func choose(names []string) ([]shard, error) {
	known := shards()
	if len(names) == 0 {
		return known, nil
	}
	var picked []shard
	for _, name := range names {
		i := slices.IndexFunc(known, func(s shard) bool { return s.name == name })
		if i < 0 {
			var have []string
			for _, s := range known {
				have = append(have, s.name)
			}
			return nil, fmt.Errorf("unknown shard %q; there are: %s", name, strings.Join(have, ", "))
		}
		picked = append(picked, known[i])
	}
	return picked, nil
}
