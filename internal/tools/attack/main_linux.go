// Command attack attacks runs of lockbench, and prints a table of what became of them: kill -9 of the coordinator at
// many moments, kills and stops of every kind of process, a full disk, strangers, odd environments.
//
// usage: attack [-run PATTERN] BINARY
// Exit: 0 if nothing is left behind, lost, or blamed on a lock; 1 if something is; 2 usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/lockbench/lockbench/internal/testkit/attack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bad, err := program(ctx, os.Stdout, os.Args[1:])
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(2)
	case bad > 0:
		os.Exit(1)
	}
}

func program(ctx context.Context, out io.Writer, args []string) (bad int, err error) {
	flags := flag.NewFlagSet("attack", flag.ContinueOnError)
	pattern := flags.String("run", "", "only attacks whose name matches")
	if err := flags.Parse(args); err != nil {
		return 0, err
	}
	only, err := regexp.Compile(*pattern)
	if err != nil || flags.NArg() != 1 {
		return 0, errors.Join(err, errors.New("usage: attack [-run PATTERN] BINARY"))
	}
	bin, err := filepath.Abs(flags.Arg(0))
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "attack-")
	if err != nil {
		return 0, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL runs as another user
		return 0, err
	}
	t := table.NewWriter()
	t.AppendHeader(table.Row{"attack", "outcome"})
	for i, a := range attack.All() {
		if ctx.Err() != nil || !only.MatchString(a.Name) {
			continue
		}
		o := attack.Run(ctx, bin, filepath.Join(dir, fmt.Sprint(i)), true, a)
		switch {
		case errors.Is(o.Err, attack.ErrCannot):
			o.Became = "NOT TRIED: " + o.Err.Error()
		case o.Err != nil:
			bad++
			o.Became = "FAILED: " + o.Err.Error()
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", o.Attack, o.Became)
		t.AppendRow(table.Row{o.Attack, o.Became})
	}
	_, err = fmt.Fprintln(out, t.Render())
	if bad == 0 {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return bad, errors.Join(err, ctx.Err())
}
