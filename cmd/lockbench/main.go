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
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/client"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/probe"
)

// The exit codes. Of several that apply, the first of 130, 2, 4, 1, 3 is taken.
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
	go func() {
		<-signals
		cancel()
		<-signals
		// Asked twice: leave at once. The janitor ends the servers and removes their files.
		bye.say(os.Stderr)
		os.Exit(exitInterrupted)
	}()
	os.Exit(run(ctx, os.Stdin, os.Stdout, os.Stderr, os.Args[1:]))
}

// run is the whole program.
func run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer, args []string) int {
	root := newRootCommand()
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
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
	root := &cobra.Command{
		Use:   "lockbench",
		Short: "Measure distributed locks before you trust them",
		Long: `lockbench starts real lock servers, drives real client libraries against them, breaks the network
between them, and counts from the recorded history how often two clients held one lock, and how often that
corrupted the data. It reports p99 latency and safety side by side.

Exit codes of run and check: 0 all valid; 1 a violation; 2 usage; 3 unknown, or something did not run; 4 the
infrastructure failed; 130 interrupted. Of several that apply, the first of 130, 2, 4, 1, 3 is taken.
The others only tell: 0 whatever it is; 2 usage, or what cannot be read; 4 what cannot be written; 130 interrupted.
doctor has 3 if something cannot run here.`,
		Example: `  lockbench doctor
  lockbench run --scenario partition
  lockbench run --scenario partition --driver redis-setnx,etcd --fencing on
  lockbench check results/20261123T060000Z-partition
  lockbench report results/20261123T060000Z-partition --format csv`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       versionLine(), // with it, --version is a flag
		Args:          commandArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newRunCommand()) // only this one has something to stop in order
	for _, cmd := range []*cobra.Command{
		newCheckCommand(), newReportCommand(), newCompareCommand(), newExportCommand(), newListCommand(), newSchemaCommand(),
		newVersionCommand(), newDoctorCommand(),
	} {
		root.AddCommand(atOnce(cmd))
	}
	root.AddCommand(hiddenCommands()...)
	return root
}

// hiddenCommands are the roles under which the program starts itself again.
func hiddenCommands() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: client.Subcommand, Hidden: true, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return client.Run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), all.Drivers())
			},
		},
		{
			Use: agent.JanitorCommand, Hidden: true, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error { return agent.RunJanitor(cmd.InOrStdin(), args[0]) },
		},
		{
			Use: probe.Subcommand, Hidden: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				return probe.Run(cmd.InOrStdin(), cmd.OutOrStdout(), args)
			},
		},
		{
			Use: cluster.EtcdCommand, Hidden: true, DisableFlagParsing: true,
			RunE: func(_ *cobra.Command, args []string) error { return cluster.RunEtcd(args) },
		},
	}
}
