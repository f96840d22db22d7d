// Command release makes everything that a release has, of the commit that is checked out: static binaries, each built
// twice in different directories and refused unless both are the same; a bill of materials; an archive for each platform
// with man pages and completions; the checksums of all.
//
// usage: release DIR [GOOS/GOARCH …]      without platforms: all
// Exit: 0; 1 if something failed, or two builds of one thing differ.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

// platforms are those of a release. On those without Linux there is no run: they check, report, compare and export.
var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: release DIR [GOOS/GOARCH …]")
		os.Exit(1)
	}
	wanted := platforms
	if len(os.Args) > 2 {
		wanted = os.Args[2:]
	}
	if err := release(ctx, os.Args[1], wanted); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

// release fills the directory, which is made anew.
func release(ctx context.Context, dir string, wanted []string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := isCommitted(ctx, "."); err != nil {
		return err
	}
	src, err := checkOut(ctx, ".")
	if err != nil {
		return err
	}
	defer src.remove()
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	common, err := src.documents(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, p := range wanted {
		made, err := src.platform(ctx, dir, p, common)
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		names = append(names, made...)
		fmt.Println(strings.Join(made, "\n"))
	}
	return writeSums(dir, names)
}

// platform makes the archive and the bill of materials for one platform, and returns their names.
func (s *sources) platform(ctx context.Context, dir, platform string, common []file) ([]string, error) {
	system, arch, ok := strings.Cut(platform, "/")
	if !ok {
		return nil, fmt.Errorf("it is no GOOS/GOARCH")
	}
	binary, err := s.build(ctx, system, arch)
	if err != nil {
		return nil, err
	}
	bom, version, err := billOf(binary, s.committed, system)
	if err != nil {
		return nil, err
	}
	base := fmt.Sprintf("lockbench-%s-%s-%s", version, system, arch)
	program := file{name: filepath.Base(binary), path: binary, mode: 0o755}
	files := append([]file{program, {name: "lockbench.cdx.json", data: bom}}, common...)
	archive := base + ".tar.gz"
	write := writeTar
	if system == "windows" {
		archive, write = base+".zip", writeZip
	}
	if err := write(filepath.Join(dir, archive), base, files, s.committed); err != nil {
		return nil, err
	}
	return []string{archive, base + ".cdx.json"}, os.WriteFile(filepath.Join(dir, base+".cdx.json"), bom, 0o644)
}
