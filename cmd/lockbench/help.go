package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/internal/lines"
)

// writeHelp writes all of a command's help, wrapped for the terminal.
func writeHelp(cmd *cobra.Command, _ []string) {
	width := columnsOf(cmd.OutOrStdout())
	var b strings.Builder
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	b.WriteString(reflow(long, width) + "\n" + usageText(cmd, width))
	fmt.Fprint(cmd.OutOrStdout(), b.String())
}

// usageText is how to call a command.
func usageText(cmd *cobra.Command, width int) string {
	var b strings.Builder
	heading := func(title string) { b.WriteString("\n" + title + ":\n") }
	b.WriteString("Usage:\n")
	if cmd.Runnable() && !cmd.HasAvailableSubCommands() {
		b.WriteString(strings.Join(lines.Hang(cmd.UseLine(), width, "  ", "      "), "\n") + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " [command]\n")
	}
	if cmd.Example != "" {
		heading("Examples")
		for line := range strings.Lines(cmd.Example) {
			b.WriteString(command(strings.TrimSpace(line), width))
		}
	}
	var sub []lines.Entry
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			sub = append(sub, lines.Entry{Label: c.Name(), Lines: []string{c.Short}})
		}
	}
	if len(sub) > 0 {
		heading("Commands")
		b.WriteString(lines.Beside(sub, width))
	}
	if cmd.HasAvailableLocalFlags() {
		heading("Flags")
		b.WriteString(cmd.LocalFlags().FlagUsagesWrapped(width))
	}
	if cmd.HasAvailableInheritedFlags() {
		heading("Flags of every command")
		b.WriteString(cmd.InheritedFlags().FlagUsagesWrapped(width))
	}
	if len(sub) > 0 {
		b.WriteString("\n" + reflow(fmt.Sprintf("Use \"%s [command] --help\" for more about a command.", cmd.CommandPath()), width))
	}
	return b.String()
}

// reflow breaks paragraphs, which an empty line separates, anew. Lines that begin with blanks stay lines: what follows
// the first two of a run of blanks hangs below itself.
func reflow(text string, width int) string {
	var b strings.Builder
	var words []string
	flush := func() {
		if len(words) > 0 {
			b.WriteString(strings.Join(lines.Hang(strings.Join(words, " "), width, "", ""), "\n") + "\n")
		}
		words = nil
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		switch {
		case strings.TrimSpace(line) == "":
			flush()
			b.WriteString("\n")
		case strings.HasPrefix(line, "  "):
			flush()
			label, said, two := strings.Cut(strings.TrimLeft(line, " "), "  ")
			if !two {
				b.WriteString(strings.Join(lines.Hang(label, width, "  ", "    "), "\n") + "\n")
				continue
			}
			b.WriteString(lines.Beside([]lines.Entry{{Label: fmt.Sprintf("%-9s", label), Lines: []string{strings.TrimSpace(said)}}}, width))
		default:
			words = append(words, line)
		}
	}
	flush()
	return b.String()
}

// quoted is an argument in quotes.
var quoted = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// command is a line for a shell. One that is too long goes on in the next line.
func command(line string, width int) string {
	all := lines.Hang(quoted.ReplaceAllStringFunc(line, lines.Unbroken), width-2, "  ", "      ")
	return strings.Join(all, " \\\n") + "\n"
}
