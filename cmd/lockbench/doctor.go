package main

import (
	"fmt"
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/cluster"
	"github.com/lockbench/lockbench/internal/doctor"
)

func newDoctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say what is installed, which versions, and what to do about what is not",
		Long: `Looks at what a run needs of this machine. It starts no server and changes nothing.

Exit codes: 0 all drivers can run here; 3 something cannot.`,
		Example: "  lockbench doctor",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := doctor.Checks(cmd.Context(), doctor.Config{
				Backends: cluster.Backends(), Drivers: all.Drivers(),
				Results: defaultOut, Scratch: os.TempDir(), DockerHost: os.Getenv("DOCKER_HOST"),
			})
			return diagnose(cmd.OutOrStdout(), checks)
		},
	}
}

// diagnose prints the checks, and what to do.
func diagnose(w io.Writer, checks []doctor.Check) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(table.Row{"CHECK", "STATE", "VERSION", "DETAIL"})
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 4, WidthMax: 90, WidthMaxEnforcer: text.WrapSoft}})
	for _, c := range checks {
		t.AppendRow(table.Row{c.Name, c.State, c.Version, c.Detail})
	}
	if _, err := fmt.Fprintln(w, t.Render()); err != nil {
		return err
	}
	for _, c := range checks {
		if c.Advice == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "\n%s: %s\n", c.Name, c.Advice); err != nil {
			return err
		}
	}
	if doctor.Worst(checks) == doctor.Missing {
		if _, err := fmt.Fprintln(w, "\nSomething cannot run here. On Debian and Ubuntu, make setup installs the servers."); err != nil {
			return err
		}
		return exitError{exitUnknown, nil}
	}
	_, err := fmt.Fprintln(w, "\nAll drivers can run here.")
	return err
}
