package main

import (
	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/report"
)

func newReportCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "report DIR…", Short: "Report on saved runs in any format",
		Long: `Renders saved runs again from their files. A directory of runs stands for all of them; one directory of rounds is told as what
they say together. Nothing is judged anew: that is what check does. The exit code is 0 whatever the verdicts are, 2 if something
is no run, and 4 if the report cannot be written.

text      for the terminal, one run after another
csv       a line for each run and driver
html      one page, which compares the runs
markdown  for a pull request, or the summary of a CI job
junit     for CI systems: green exactly if lockbench run exits with 0
json      everything, for programs
bench     the latencies in the Go benchmark format: benchstat compares two such files`,
		Example: `  lockbench report results/20261123T060000Z-partition
  lockbench report results/20261123T060000Z-partition --format markdown >> "$GITHUB_STEP_SUMMARY"
  lockbench report results/*/ --format csv > all.csv
  lockbench report results/20261123T060000Z-baseline-rounds --format bench > new.txt && benchstat old.txt new.txt`,
		Args: wants(1, anyNumber, "the directory of a run, or several", "results/<run>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := report.ParseFormat(name, report.Formats())
			if err != nil {
				return usage(err)
			}
			var runs []*report.Model
			out, opt := cmd.OutOrStdout(), report.Options{Color: wantsColor(cmd.OutOrStdout())}
			for _, dir := range args {
				set, err := report.BuildSet(dir)
				if err != nil {
					return usage(orNewest(dir, err))
				}
				if len(args) == 1 && set.AreRounds() {
					rounds, err := report.NewRounds(set)
					if err != nil {
						return usage(err)
					}
					return rounds.Render(out, format, opt)
				}
				runs = append(runs, set.Runs...)
			}
			return report.RenderAll(out, format, runs, opt)
		},
	}
	addFormatFlag(cmd, &name, report.Formats())
	return cmd
}

// addFormatFlag adds --format, with its completion.
func addFormatFlag(cmd *cobra.Command, name *string, formats []report.Format) {
	cmd.Flags().StringVar(name, "format", string(report.Text), "one of "+report.FormatNames(formats))
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, f := range formats {
			names = append(names, string(f))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}
