package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/lockbench/lockbench/scenarios"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of scenario files, for editors",
		Long: `Prints the JSON Schema of scenario files. An editor with the YAML language server (Visual Studio Code with the
YAML extension, Neovim, Emacs and others) then completes keys, shows what they mean and marks mistakes. Save the schema,
and name it in the scenario's first line:

  # yaml-language-server: $schema=./scenario.schema.json`,
		Example: "  lockbench schema > scenario.schema.json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), scenarios.Schema())
			return err
		},
	}
}
