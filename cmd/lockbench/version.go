package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/lines"
)

// version and commit are set by the linker (see the Makefile); without, the build's own record is read.
var version, commit string

// identity returns lockbench's version and git commit; "unknown" where the build does not say.
func identity() (string, string) {
	v, c := version, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" && info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if c == "" && s.Key == "vcs.revision" {
				c = s.Value
			}
		}
	}
	if v == "" {
		v = "unknown"
	}
	if c == "" {
		c = "unknown"
	}
	return v, c
}

func newVersionCommand() *cobra.Command {
	asJSON, terms := false, false
	cmd := &cobra.Command{
		Use: "version", Short: "Print lockbench's version, or the licenses of what is in it",
		Example: "  lockbench version\n  lockbench version --json | jq -r .version\n  lockbench version --licenses",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			switch {
			case terms:
				return writeLicenses(w, runtime.GOOS, asJSON)
			case asJSON:
				v, c := identity()
				return writeIndented(w, map[string]string{
					"version": v, "commit": c, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
				})
			}
			return writeVersion(cmd)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().BoolVar(&terms, "licenses", false, "the license of lockbench and of every module that is compiled in, with the full texts")
	return cmd
}

// writeVersion says which lockbench this is, on one line if the terminal is wide enough.
func writeVersion(cmd *cobra.Command) error {
	v, c := identity()
	line := fmt.Sprintf("lockbench %s, commit %s, %s %s/%s", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	w := cmd.OutOrStdout()
	_, err := io.WriteString(w, strings.Join(lines.Hang(line, columnsOf(w), "", "  "), "\n")+"\n")
	return err
}
