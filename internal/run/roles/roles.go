// Package roles lists what a program is that a run has started again from its own binary: a client, a server, the
// janitor, a probe. Every program that runs scenarios must be able to play them.
package roles

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/probe"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers/etcdmember"
	"github.com/lockbench/lockbench/internal/workload"
)

// Of are the roles by the first argument of the program. Each takes the arguments that follow, and returns when the
// role is over. source finds the client's driver.
func Of(ctx context.Context, in io.Reader, out io.Writer, source drivers.Source) map[string]func(args []string) error {
	return map[string]func([]string) error{
		workload.Subcommand: func([]string) error { return workload.Run(ctx, in, out, source) },
		probe.Subcommand:    func(args []string) error { return probe.Run(in, out, args) },
		etcdmember.Command:  etcdmember.Run,
		local.JanitorCommand: func(args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("%s takes the run's scratch directory, and got %q", local.JanitorCommand, args)
			}
			signal.Ignore(syscall.SIGINT, syscall.SIGTERM) // it ends with the run, whatever ends that
			return local.RunJanitor(in, args[0])
		},
	}
}
