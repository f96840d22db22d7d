// Command overhead measures what lockbench adds to an acquire. It compares the p50 of lockbench's worker with that of
// a bare client of the same library, in short slices, in turn, on the same servers, without proxies. It writes a line
// for each lock: the ratio of the two p50s with its 95 % interval, the number of slices, and the CPU time of the
// coordinator in its own slices.
//
// Both clients do the same work under the lock, a read and a write of a store in another process. A client that does
// nothing there finds its own code and the server's still in the caches, and asks 10 to 25 % faster for that alone
// (-idle).
//
// All processes are bound to one CPU, unless -cpu is below 0. Else each client keeps the place that the scheduler
// gave it and its server for as long as its session lives: on the same CPU or on two. That alone makes ratios from
// 0.6 to 1.6.
//
//	go run ./internal/tools/overhead -slices 100 -for 150ms etcd zookeeper
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/run/roles"
)

// bareCommand is the role of the bare client.
const bareCommand = "bare"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := program(ctx, os.Stdin, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "overhead:", err)
		stop()
		os.Exit(1)
	}
}

// program is the whole program. It starts itself again as lockbench does, and as the bare client.
func program(ctx context.Context, in io.Reader, out io.Writer, args []string) error {
	if len(args) > 0 {
		if role := roles.Of(ctx, in, out, all.Drivers())[args[0]]; role != nil {
			return role(args[1:])
		}
		if args[0] == bareCommand {
			return runBare(ctx, in, out)
		}
	}
	fl := flag.NewFlagSet("overhead", flag.ContinueOnError)
	o := options{out: out}
	fl.IntVar(&o.slices, "slices", 100, "slices of each side")
	fl.DurationVar(&o.each, "for", 150*time.Millisecond, "length of a slice")
	fl.BoolVar(&o.idle, "idle", false, "the bare client does nothing between acquire and release")
	fl.BoolVar(&o.quiet, "quiet", false, "without events: no status line, no meter, no judging meanwhile")
	cpu := fl.Int("cpu", 0, "CPU to which all processes are bound; below 0: none")
	if err := fl.Parse(args); err != nil {
		return err
	}
	if err := bind(*cpu); err != nil {
		return fmt.Errorf("bind to CPU %d: %w", *cpu, err)
	}
	names := fl.Args()
	fmt.Fprintln(out, "acquire p50, lockbench / bare client")
	for _, d := range all.Drivers() {
		if _, known := bareLocks()[d.Info.Name]; !known || len(names) > 0 && !slices.Contains(names, d.Info.Name) {
			continue
		}
		if err := o.measure(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", d.Info.Name, err)
		}
	}
	return nil
}

// bind starts the program again, bound to the CPU, unless that was done. Everything that it starts is bound, too.
func bind(cpu int) error {
	const bound = "OVERHEAD_BOUND"
	if cpu < 0 || os.Getenv(bound) != "" {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // a thread's CPUs are those of what it executes
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return err
	}
	return unix.Exec(exe, os.Args, append(os.Environ(), bound+"=1"))
}
