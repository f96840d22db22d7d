package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/report"
)

func newCompareCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "compare A B", Short: "Put two runs, or two sets of rounds, side by side",
		Long: `Compares what two runs measured, or two directories of rounds (lockbench run --rounds): which verdicts changed, and which
latencies. Slower and faster are said only where the intervals of five rounds or more on each side do not overlap. What else
differs between the two, settings, host or versions, is listed.

The exit code is 0 whatever was found, 2 if a side is no run, and 4 if the comparison cannot be written.`,
		Example: `  lockbench compare results/20261123T060000Z-baseline-rounds results/20261123T070000Z-baseline-rounds
  lockbench compare results/20261123T060000Z-partition results/20261123T070000Z-partition`,
		Args: wants(2, 2, "two directories of runs, or of rounds", "results/<run> results/<run>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if report.Format(name) == report.Bench {
				return usage(errors.New("compare has no --format bench: benchstat compares what lockbench report A --format bench and report B --format bench write"))
			}
			format, err := report.ParseFormat(name, report.DocumentFormats())
			if err != nil {
				return usage(err)
			}
			a, errA := report.BuildSet(args[0])
			b, errB := report.BuildSet(args[1])
			if err := errors.Join(orNewest(args[0], errA), orNewest(args[1], errB)); err != nil {
				return usage(err)
			}
			c, err := report.Compare(a, b)
			if err != nil {
				return usage(err)
			}
			return report.RenderDocument(cmd.OutOrStdout(), format, c.Document(), report.Options{Color: wantsColor(cmd.OutOrStdout())})
		},
	}
	addFormatFlag(cmd, &name, report.DocumentFormats())
	return cmd
}
