package main

import (
	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/report"
)

func newReportCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use: "report DIR…", Short: "Report on saved runs as text, CSV or HTML",
		Long: `Renders saved runs again from their files: one after another, or as HTML all on one page that compares them. Nothing
is judged anew: that is what check does.`,
		Example: `  lockbench report results/20261123T060000Z-partition
  lockbench report results/20261123T060000Z-partition --format csv > summary.csv`,
		Args: func(cmd *cobra.Command, args []string) error { return usage(cobra.MinimumNArgs(1)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			format, err := report.ParseFormat(name)
			if err != nil {
				return usage(err)
			}
			var runs []*report.Model
			for _, dir := range args {
				m, err := report.Build(dir)
				if err != nil {
					return usage(err)
				}
				runs = append(runs, m)
			}
			if format == report.HTML {
				return report.RenderPage(cmd.OutOrStdout(), runs)
			}
			for _, m := range runs {
				if err := report.Render(cmd.OutOrStdout(), format, m, report.Options{Color: wantsColor(cmd.OutOrStdout())}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "format", "text", "text, csv or html")
	// Fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		names := make([]string, 0, len(report.Formats()))
		for _, f := range report.Formats() {
			names = append(names, string(f))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}
