package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/nearest"
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
	t.SuppressTrailingSpaces()
	const wide = 90
	switch what {
	case "scenarios":
		t.AppendHeader(table.Row{"SCENARIO", "WHAT IT SHOWS"})
		t.SetColumnConfigs([]table.ColumnConfig{{Number: 2, WidthMax: wide, WidthMaxEnforcer: text.WrapSoft}})
		t.Style().Options.SeparateRows = true
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
		t.AppendHeader(table.Row{"FAULT", "WHAT IT DOES"})
		t.Style().Options.SeparateRows = true
		for _, f := range faults.All() {
			t.AppendRow(table.Row{f.Info().Name, describe(f.Info(), wide)})
		}
	default:
		kinds := []string{"scenarios", "drivers", "faults"}
		return usage(errors.New(nearest.Unknown("list", what, kinds)))
	}
	t.Render()
	return nil
}

// describe says what a fault does, whom it strikes, what it needs, and what a scenario may set of it, one a line.
func describe(info faults.Info, width int) string {
	lines := []string{info.Summary, fmt.Sprintf("strikes: %s", info.Strikes)}
	if info.Needs != "" {
		lines = append(lines, "needs: "+info.Needs)
	}
	for _, p := range info.Params {
		line := "setting " + p.Name
		if p.Required {
			line += " (required)"
		}
		lines = append(lines, line+": "+p.Text)
	}
	for i, line := range lines {
		lines[i] = text.WrapSoft(line, width)
	}
	return strings.Join(lines, "\n")
}
