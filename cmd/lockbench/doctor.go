package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/doctor"
	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/text"
)

func newDoctorCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use: "doctor", Short: "Say what is installed, which versions, and what to do about what is not",
		Long: `Looks at what a run needs of this machine. It starts no server and changes nothing.

Exit codes: 0 all drivers can run here; 3 something cannot.`,
		Example: "  lockbench doctor\n  lockbench doctor --json | jq -r '.[] | select(.state == \"missing\").name'",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := doctor.Checks(cmd.Context(), doctor.Config{
				Backends: servers.Backends(), Drivers: all.Drivers(),
				Results: defaultOut, Scratch: os.TempDir(), DockerHost: os.Getenv("DOCKER_HOST"),
			})
			if asJSON {
				return errors.Join(writeIndented(cmd.OutOrStdout(), checks), canRun(checks))
			}
			return diagnose(cmd.OutOrStdout(), checks, textOptions(cmd))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON list with an object for each check")
	return cmd
}

// canRun is the exit that the checks lead to.
func canRun(checks []doctor.Check) error {
	if doctor.Worst(checks) == doctor.Missing {
		return exitError{exitUnknown, nil}
	}
	return nil
}

// diagnose prints the checks, and what to do.
func diagnose(w io.Writer, checks []doctor.Check, opt report.Options) error {
	var b strings.Builder
	width := opt.Width
	marks := map[doctor.State]report.State{doctor.OK: report.Valid, doctor.Warning: report.Unknown, doctor.Missing: report.Failed}
	var entries []lines.Entry
	for _, c := range checks {
		words := append([]string{text.Paint(opt.Color, marks[c.State], string(c.State))}, report.NonEmpty(c.Version, c.Detail)...)
		entries = append(entries, lines.Entry{Label: c.Name, Lines: []string{strings.Join(words, "  ")}})
	}
	b.WriteString(lines.Beside(entries, width))
	for _, c := range checks {
		if c.Advice != "" {
			b.WriteString("\n" + reflow(c.Name+": "+c.Advice, width))
		}
	}
	last := "All drivers can run here."
	if canRun(checks) != nil {
		last = "Something cannot run here. On Debian and Ubuntu, make setup installs the servers."
	}
	if _, err := io.WriteString(w, b.String()+"\n"+reflow(last, width)); err != nil {
		return err
	}
	return canRun(checks)
}
