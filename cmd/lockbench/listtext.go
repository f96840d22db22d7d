package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/lines"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/scenarios"
)

// text is the library for the terminal: a heading for each kind, and the names in a column of their own.
func (l *library) text(width int) string {
	var parts []string
	part := func(heading string, groups ...string) {
		heading = strings.Join(lines.Hang(heading, width, "", ""), "\n")
		parts = append(parts, heading+"\n\n"+strings.Join(groups, "\n"))
	}
	if len(l.Scenarios) > 0 {
		part("Scenarios, and what they show. Begin with "+report.List(restOn(l.Scenarios))+
			": on these rests which lock is fit for which work (docs/verdicts.md).", l.scenarioGroups(width)...)
	}
	if len(l.Drivers) > 0 {
		part("Drivers, and below each its variants. A variant has what its driver has, unless it says otherwise.",
			lines.Beside(l.driverEntries(), width))
	}
	if len(l.Faults) > 0 {
		part("Faults, for scenarios of your own", lines.Beside(l.faultEntries(), width))
	}
	return strings.Join(parts, "\n")
}

// restOn are the scenarios that show what the rules rest on, in the order of the list.
func restOn(all []listedScenario) []string {
	var names []string
	for _, s := range all {
		if slices.ContainsFunc(report.Evidences(), func(e report.Evidence) bool { return e.Scenario == s.Name }) {
			names = append(names, s.Name)
		}
	}
	return names
}

func (l *library) scenarioGroups(width int) []string {
	longest := 0 // all groups have one column of names
	for _, s := range l.Scenarios {
		longest = max(longest, len(s.Name))
	}
	var all []string
	for _, g := range scenarios.Groups() {
		var entries []lines.Entry
		for _, s := range l.Scenarios {
			if s.Group == g.Name {
				entries = append(entries, lines.Entry{Label: fmt.Sprintf("%-*s", longest, s.Name), Lines: []string{s.Summary}})
			}
		}
		if len(entries) > 0 {
			all = append(all, g.Title+"\n"+lines.Beside(entries, width))
		}
	}
	return all
}

// driverEntries lists the drivers, and of variants only what differs.
func (l *library) driverEntries() []lines.Entry {
	var entries []lines.Entry
	var base []string
	for _, d := range l.Drivers {
		token := "fencing token: no"
		if d.Token != "" {
			token = "fencing token: yes, " + d.Token
		}
		about := []string{
			units.Plural(d.Servers, "server") + " of " + d.Backend, token, "scope: " + d.Scope, "loss told by: " + d.LossBy,
		}
		name := d.Name
		if _, _, variant := strings.Cut(d.Name, "+"); variant {
			about = slices.DeleteFunc(about, func(s string) bool { return slices.Contains(base, s) })
			name = "  " + name
		} else {
			base = slices.Clone(about)
		}
		said := append([]string{d.Summary}, report.NonEmpty(strings.Join(about, "; "))...)
		entries = append(entries, lines.Entry{Label: name, Lines: said})
	}
	return entries
}

func (l *library) faultEntries() []lines.Entry {
	var entries []lines.Entry
	for _, f := range l.Faults {
		said := []string{f.Summary, "target: " + f.Targets}
		if f.Needs != "" {
			said = append(said, "needs: "+f.Needs)
		}
		for _, s := range f.Settings {
			required := ""
			if s.Required {
				required = " (required)"
			}
			said = append(said, "setting "+s.Name+required+": "+s.Text)
		}
		entries = append(entries, lines.Entry{Label: f.Name, Lines: said})
	}
	return entries
}
