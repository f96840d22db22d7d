package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/compare"
	"github.com/lockbench/lockbench/report/formats"
)

func newReportCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "report DIR…", Short: "Report on saved runs in any format",
		Long: `Renders saved runs again from their files. A directory of runs stands for all of them. One directory of rounds is reported
as a whole. Nothing is judged again: that is what check does. The exit code is 0 whatever the verdicts are, 2 if a directory is
not a run, and 4 if the report cannot be written.

` + aboutFormats(),
		Example: `  lockbench report results/20261123T060000Z-partition
  lockbench report results/20261123T060000Z-partition --format markdown >> "$GITHUB_STEP_SUMMARY"
  lockbench report results/*/ --format csv > all.csv
  lockbench report results/20261123T060000Z-baseline-rounds --format bench > new.txt && benchstat old.txt new.txt`,
		Args: wants(1, anyNumber, "the directory of a run, or several", "results/<run>"),
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := formats.Find(name, formats.All())
			if err != nil {
				return usage(err)
			}
			var runs []*report.Model
			out, opt := cmd.OutOrStdout(), textOptions(cmd)
			for _, dir := range args {
				set, err := compare.Read(dir)
				if err != nil {
					return usage(orNewest(dir, err))
				}
				if len(args) == 1 && set.AreRounds() {
					rounds, err := compare.NewRounds(set)
					if err != nil {
						return usage(err)
					}
					return format.Render(out, rounds.Document(), opt)
				}
				runs = append(runs, set.Runs...)
			}
			return format.Render(out, report.Of(runs...), opt)
		},
	}
	cmd.ValidArgsFunction = folders
	addFormatFlag(cmd, &name, formats.All())
	return cmd
}

// aboutFormats is a line for each format.
func aboutFormats() string {
	var lines []string
	for _, f := range formats.All() {
		lines = append(lines, fmt.Sprintf("  %s  %s", f.Name, f.About))
	}
	return strings.Join(lines, "\n")
}

// addFormatFlag adds --format, with its completion.
func addFormatFlag(cmd *cobra.Command, name *string, all []formats.Format) {
	names := formats.Names(all)
	cmd.Flags().StringVar(name, "format", names[0], "one of "+strings.Join(names, ", "))
	completeWords(cmd, "format", names)
}
