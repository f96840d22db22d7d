package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/lockbench/lockbench/internal/results"
)

// completeList has the shell offer the words for a flag that takes several, separated by commas.
func completeList(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		given := ""
		if i := strings.LastIndexByte(begun, ','); i >= 0 {
			given = begun[:i+1]
		}
		taken := strings.Split(given, ",")
		var all []string
		for _, w := range words {
			if !slices.Contains(taken, w) {
				all = append(all, given+w)
			}
		}
		return beginning(begun, all), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	})
}

// completeWordsOrFiles has the shell offer the words, and files with that ending once none of them fits.
func completeWordsOrFiles(cmd *cobra.Command, flag string, words []string, ending string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		all := beginning(begun, words)
		if len(all) == 0 {
			return []string{ending}, cobra.ShellCompDirectiveFilterFileExt
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
}

// completeFolders has the shell offer directories.
func completeFolders(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, folders)
}

// completeFiles has the shell offer files of any kind.
func completeFiles(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	})
}

// folders completes directories.
func folders(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeTests has the shell offer the tests of the run that the command was given.
func completeTests(cmd *cobra.Command, flag string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, args []string, begun string) (names []string, _ cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		saved, err := results.Load(args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		for _, t := range saved.Run.Tests {
			names = append(names, t.Name)
		}
		return beginning(begun, names), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeNothing keeps the shell from offering files where they are none of what is asked for: for the flags that have
// no completion of their own, and for the arguments of commands that take none.
func completeNothing(cmd *cobra.Command) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if _, has := cmd.GetFlagCompletionFunc(f.Name); !has && f.Value.Type() != "bool" {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		}
	})
	if !strings.Contains(cmd.Use, " ") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
}

// completeWords has the shell offer the words for a flag.
func completeWords(cmd *cobra.Command, flag string, words []string) {
	// Fails, as the others below do, only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return beginning(begun, words), cobra.ShellCompDirectiveNoFileComp
	})
}

// beginning are those of the words that begin with what was typed.
func beginning(begun string, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, begun) })
}
