// Command licenses gathers under which terms everything is that is compiled into lockbench: what go list says is linked
// on each system of a release, and the license files of those modules in the module cache.
//
// usage: licenses [FILE]        writes internal/licenses/licenses.txtar, or FILE
// Exit: 0; 1 if a module has no license that is known by its text, or something cannot be read or written.
package main

import (
	"fmt"
	"os"
)

func main() {
	file := "internal/licenses/licenses.txtar"
	if len(os.Args) > 1 {
		file = os.Args[1]
	}
	if err := write(file); err != nil {
		fmt.Fprintf(os.Stderr, "licenses: %v\n", err)
		os.Exit(1)
	}
}

func write(file string) error {
	list, err := gather(".", []string{"linux", "darwin", "windows"})
	if err != nil {
		return err
	}
	b, err := list.Format()
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return err
	}
	fmt.Printf("%s: %d modules, %d texts, %d bytes\n", file, len(list.Modules), len(list.Texts), len(b))
	return nil
}
