// Command lockbench compares distributed locks: it runs real servers and real clients, breaks the network between
// them, and counts from the recorded history how often two clients held one lock and what that cost.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/run/roles"
)

// The exit codes. If several apply, their priority is 130, 2, 4, 1, 3.
const (
	exitValid       = 0
	exitViolation   = 1
	exitUsage       = 2
	exitUnknown     = 3 // or something did not run
	exitInternal    = 4 // or the infrastructure failed
	exitInterrupted = 130
)

// exitError is an error with the exit code that it leads to.
type exitError struct {
	code int
	err  error // nil: everything was said
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage marks an error as the caller's.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return exitError{exitUsage, err}
}

func main() {
	bye := &farewell{}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), farewellKey{}, bye))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	hangups := make(chan os.Signal, 1)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(hangups, syscall.SIGHUP)
	}
	go func() {
		select {
		case <-signals:
		case <-hangups: // one or more, from the shell and from the kernel
		}
		cancel()
		<-signals
		// Asked twice: leave at once. The janitor ends the servers and removes their files.
		bye.say(os.Stderr)
		os.Exit(exitInterrupted)
	}()
	os.Exit(program(ctx, os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// program is the whole program.
func program(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	if role := roleOf(ctx, stdin, stdout, args); role != nil {
		return exit(stderr, role(args[1:]))
	}
	root := newRootCommand()
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	return exit(stderr, root.ExecuteContext(ctx))
}

// roleOf is what the program is if a run has started it again; nil: a user has started it.
func roleOf(ctx context.Context, in io.Reader, out io.Writer, args []string) func([]string) error {
	if len(args) == 0 {
		return nil
	}
	return roles.Of(ctx, in, out, all.Drivers())[args[0]]
}

// exit says what is left to say, and returns the exit code.
func exit(stderr io.Writer, err error) int {
	code, said := exitOf(err)
	if said != nil {
		say(stderr, "", said)
	}
	return code
}

// exitOf is the exit code that an error leads to, and what is left to say.
func exitOf(err error) (int, error) {
	if err == nil {
		return exitValid, nil
	}
	if exit, ok := errors.AsType[exitError](err); ok {
		return exit.code, exit.err
	}
	return exitInternal, err
}

func newRootCommand() *cobra.Command {
	versionOnly := false
	root := &cobra.Command{
		Use:   "lockbench",
		Short: "Measure distributed locks before you trust them",
		Long: `lockbench starts real lock servers, drives real client libraries against them, breaks the network
between them, and counts from the recorded history how often two clients held one lock, and how often that
corrupted the data. It reports p99 latency and safety side by side.

Exit codes of run and check: 0 all valid; 1 a violation; 2 usage; 3 unknown, or something did not run; 4 the
infrastructure failed; 130 interrupted. If several apply, their priority is 130, 2, 4, 1, 3.
Exit codes of the other commands: 0 whatever they find; 2 usage, or the input cannot be read; 4 the output cannot be written;
130 interrupted. doctor ends with 3 if something cannot run here.`,
		Example: `  lockbench doctor
  lockbench run --scenario partition
  lockbench run --scenario partition --driver redis-setnx,etcd --fencing fenced
  lockbench check results/20261123T060000Z-partition
  lockbench report results/20261123T060000Z-partition --format csv`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          commandArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if versionOnly {
				return writeVersion(cmd)
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVarP(&versionOnly, "version", "v", false, "print lockbench's version")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(writeHelp)
	addColorFlag(root)
	root.AddCommand(newRunCommand()) // only this one has something to stop in order
	for _, cmd := range []*cobra.Command{
		newCheckCommand(), newReportCommand(), newCompareCommand(), newExportCommand(), newListCommand(), newSchemaCommand(),
		newVersionCommand(), newDoctorCommand(),
	} {
		root.AddCommand(atOnce(cmd))
	}
	for _, cmd := range root.Commands() {
		completeNothing(cmd)
	}
	return root
}
