package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/scenarios"
)

func newListCommand() *cobra.Command {
	kinds := []string{"scenarios", "drivers", "faults"}
	asJSON := false
	cmd := &cobra.Command{
		Use: "list [scenarios|drivers|faults]", Short: "List the scenarios, the drivers with their variants, and the faults",
		Example: "  lockbench list\n  lockbench list drivers\n  lockbench list --json | jq -r '.drivers[].name'",
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
				if what = args; !slices.Contains(kinds, args[0]) {
					return usage(errors.New(nearest.Unknown("list", args[0], kinds)))
				}
			}
			shipped, err := newLibrary(what)
			if err != nil {
				return err
			}
			if asJSON {
				return writeIndented(cmd.OutOrStdout(), shipped)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), shipped.text(columnsOf(cmd.OutOrStdout())))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object with a list for each kind")
	return cmd
}

// library is what there is to choose from; docs/results.md describes it as JSON.
type library struct {
	Scenarios []listedScenario `json:"scenarios,omitempty"`
	Drivers   []listedDriver   `json:"drivers,omitempty"`
	Faults    []listedFault    `json:"faults,omitempty"`
}

type (
	listedScenario struct {
		Name    string `json:"name"`
		Group   string `json:"group"`
		Summary string `json:"summary"`
	}
	listedDriver struct {
		Name    string `json:"name"`
		Title   string `json:"title"`
		Summary string `json:"summary"`
		Backend string `json:"backend"`
		Servers int    `json:"servers"`
		Token   string `json:"token"` // empty: none
		Scope   string `json:"scope"`
		Lease   bool   `json:"lease"`
		Renewed bool   `json:"renewed"`
		LossBy  string `json:"loss_by"`
	}
	listedFault struct {
		Name     string          `json:"name"`
		Summary  string          `json:"summary"`
		Targets  string          `json:"targets"`
		Needs    string          `json:"needs,omitempty"`
		Settings []listedSetting `json:"settings,omitempty"`
	}
	listedSetting struct {
		Name     string `json:"name"`
		Text     string `json:"text"`
		Required bool   `json:"required,omitempty"`
	}
)

func newLibrary(kinds []string) (l library, err error) {
	if slices.Contains(kinds, "scenarios") {
		shipped, err := scenarios.All()
		if err != nil {
			return l, err
		}
		for _, g := range scenarios.Groups() {
			for _, s := range shipped {
				if s.In(g) {
					l.Scenarios = append(l.Scenarios, listedScenario{s.Name, g.Name, s.Summary})
				}
			}
		}
	}
	if slices.Contains(kinds, "drivers") {
		for _, d := range all.Drivers() {
			i := d.Info
			l.Drivers = append(l.Drivers, listedDriver{
				i.Name, i.Title, i.Summary, string(i.Backend), len(i.Topology), i.Token, string(i.Scope), i.Lease, i.Renewed, string(i.LossBy),
			})
		}
	}
	if slices.Contains(kinds, "faults") {
		for _, f := range faults.All() {
			i := f.Info()
			listed := listedFault{Name: i.Name, Summary: i.Summary, Targets: fmt.Sprint(i.Targets), Needs: i.Needs}
			for _, p := range i.Settings {
				listed.Settings = append(listed.Settings, listedSetting{p.Name, p.Text, p.Required})
			}
			l.Faults = append(l.Faults, listed)
		}
	}
	return l, nil
}

// writeIndented writes a value as JSON for people and programs.
func writeIndented(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
