package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/report/compare"
	"github.com/lockbench/lockbench/report/formats"
)

func newCompareCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "compare A B", Short: "Put two runs, or two sets of rounds, side by side",
		Long: `Compares what two runs measured, or two directories of rounds (lockbench run --rounds): which verdicts changed, and which
latencies. It says slower or faster only if each side has five rounds or more and their intervals do not overlap. It also lists
how settings, host and versions differ.

The exit code is 0 whatever it finds, 2 if a side is not a run, and 4 if the comparison cannot be written.`,
		Example: `  lockbench compare results/20261123T060000Z-baseline-rounds results/20261123T070000Z-baseline-rounds
  lockbench compare results/20261123T060000Z-partition results/20261123T070000Z-partition`,
		Args: wants(2, 2, "two directories of runs, or of rounds", "results/<run> results/<run>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "bench" {
				return usage(errors.New("compare has no --format bench: benchstat compares what lockbench report A --format bench and report B --format bench write"))
			}
			format, err := formats.Find(name, formats.OfComparisons())
			if err != nil {
				return usage(err)
			}
			a, errA := compare.Read(args[0])
			b, errB := compare.Read(args[1])
			if err := errors.Join(orNewest(args[0], errA), orNewest(args[1], errB)); err != nil {
				return usage(err)
			}
			c, err := compare.New(a, b)
			if err != nil {
				return usage(err)
			}
			return format.Render(cmd.OutOrStdout(), c.Document(), textOptions(cmd))
		},
	}
	cmd.ValidArgsFunction = folders
	addFormatFlag(cmd, &name, formats.OfComparisons())
	return cmd
}
