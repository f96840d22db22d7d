package main

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/scenarios"
)

func newListCommand() *cobra.Command {
	kinds := []string{"scenarios", "drivers", "faults"}
	return &cobra.Command{
		Use: "list [scenarios|drivers|faults]", Short: "List the scenarios, the drivers with their variants, and the faults",
		Example: "  lockbench list\n  lockbench list drivers",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(fmt.Errorf("list takes one of scenarios, drivers, faults, or nothing"))
			}
			return nil
		},
		ValidArgs: kinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			what := kinds
			if len(args) == 1 {
				what = args
			}
			for i, w := range what {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				if err := list(cmd.OutOrStdout(), w); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func list(w io.Writer, what string) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options = table.OptionsNoBordersAndSeparators
	const wide = 90
	switch what {
	case "scenarios":
		t.AppendHeader(table.Row{"SCENARIO", "WHAT IT SHOWS"})
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMax: wide, WidthMaxEnforcer: text.WrapSoft}})
		shipped, err := scenarios.All()
		if err != nil {
			return err
		}
		for _, s := range shipped {
			t.AppendRow(table.Row{s.Name, s.Summary})
		}
	case "drivers":
		t.AppendHeader(table.Row{"DRIVER", "SERVERS", "FENCING TOKEN", "HOW IT LOCKS"})
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 3, WidthMax: 24, WidthMaxEnforcer: text.WrapSoft}, {Number: 4, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft}})
		for _, d := range all.Drivers() {
			token := d.Info.Token
			if token == "" {
				token = "none"
			}
			t.AppendRow(table.Row{d.Info.Name, fmt.Sprintf("%d %s", d.Info.Nodes, d.Info.Backend), token, d.Info.Summary})
		}
	case "faults":
		t.AppendHeader(table.Row{"FAULT", "WHAT IT DOES", "STRIKES", "NEEDS"})
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft}})
		for _, f := range faults.All() {
			info := f.Info()
			t.AppendRow(table.Row{info.Name, info.Summary, info.Strikes, info.Needs})
		}
	default:
		kinds := []string{"scenarios", "drivers", "faults"}
		return usage(fmt.Errorf("cannot list %q%s; there are: scenarios, drivers, faults", what, scenarios.DidYouMean(what, kinds)))
	}
	t.Render()
	return nil
}
