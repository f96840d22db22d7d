package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/report"
)

// The values of --color.
var colorModes = []string{"auto", "always", "never"}

// addColorFlag adds --color to every command.
func addColorFlag(root *cobra.Command) {
	root.PersistentFlags().String("color", colorModes[0], "mark verdicts with colours: auto (on a terminal), always or never")
	completeWords(root, "color", colorModes)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		mode := cmd.Flag("color").Value.String()
		for _, m := range colorModes {
			if m == mode {
				return nil
			}
		}
		return usage(fmt.Errorf("--color: %s", nearest.Unknown("value", mode, colorModes)))
	}
}

// textOptions is how texts look where the command writes them.
func textOptions(cmd *cobra.Command) report.Options {
	w := cmd.OutOrStdout()
	colored := false
	switch cmd.Flag("color").Value.String() {
	case "always":
		colored = true
	case "auto":
		colored = canRedraw(w) && os.Getenv("NO_COLOR") == "" // https://no-color.org
	}
	return report.Options{Color: colored, Width: columnsOf(w)}
}

// columnsOf is how many columns a line may have: those of the terminal, else what COLUMNS says, else DefaultWidth.
func columnsOf(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	if n, err := strconv.Atoi(strings.TrimSpace(os.Getenv("COLUMNS"))); err == nil && n > 0 {
		return n
	}
	return report.DefaultWidth
}

// canRedraw reports whether w is a terminal that knows control sequences.
func canRedraw(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}
