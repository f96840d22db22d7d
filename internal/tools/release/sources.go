package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sources are two clones of the commit, in directories whose names differ in length.
type sources struct {
	root      string
	clones    [2]string
	committed time.Time
}

// isCommitted refuses a repository with changes: nobody could build that again.
func isCommitted(ctx context.Context, repository string) error {
	status, err := output(ctx, repository, nil, "git", "status", "--porcelain")
	if err == nil && status != "" {
		err = fmt.Errorf("commit or remove these first, so that others can build the same:\n%s", status)
	}
	return err
}

// checkOut clones the repository twice.
func checkOut(ctx context.Context, repository string) (s *sources, err error) {
	at, err := output(ctx, repository, nil, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the time of the commit: %w", err)
	}
	root, err := os.MkdirTemp("", "lockbench-release-")
	if err != nil {
		return nil, err
	}
	s = &sources{root: root, committed: time.Unix(seconds, 0).UTC()}
	for i, name := range []string{"a", filepath.Join("another", "place")} {
		s.clones[i] = filepath.Join(root, name)
		if _, err := output(ctx, repository, nil, "git", "clone", "--quiet", "--no-hardlinks", ".", s.clones[i]); err != nil {
			return nil, errors.Join(err, s.remove())
		}
	}
	return s, nil
}

func (s *sources) remove() error { return os.RemoveAll(s.root) }

// build builds lockbench in both clones, and returns the one of the first.
func (s *sources) build(ctx context.Context, system, arch string) (string, error) {
	name := "lockbench"
	if system == "windows" {
		name += ".exe"
	}
	env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + arch, "GOWORK=off"}
	var sums [2][sha256.Size]byte
	for i, clone := range s.clones {
		out := filepath.Join(s.root, fmt.Sprint(i), system+"-"+arch, name)
		// -s -w: symbols and debugging information are two fifths of it, and a stack trace needs neither.
		if _, err := output(ctx, clone, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", out, "./cmd/lockbench"); err != nil {
			return "", err
		}
		b, err := os.ReadFile(out)
		if err != nil {
			return "", err
		}
		sums[i] = sha256.Sum256(b)
	}
	if sums[0] != sums[1] {
		return "", fmt.Errorf("two builds of one commit differ: %x and %x", sums[0], sums[1])
	}
	return filepath.Join(s.root, "0", system+"-"+arch, name), nil
}

// documents are the files that every archive has.
func (s *sources) documents(ctx context.Context) (all []file, err error) {
	pages := filepath.Join(s.root, "pages")
	env := []string{"SOURCE_DATE_EPOCH=" + fmt.Sprint(s.committed.Unix())}
	if _, err := output(ctx, s.clones[0], env, "go", "test", "./cmd/lockbench", "-count=1", "-run", "^TestManPages$", "-man", pages); err != nil {
		return nil, err
	}
	for _, name := range []string{"LICENSE", "NOTICE", "README.md", "CHANGELOG.md"} {
		all = append(all, file{name: name, path: filepath.Join(s.clones[0], name), mode: 0o644})
	}
	return all, filepath.WalkDir(pages, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(pages, path)
		all = append(all, file{name: filepath.ToSlash(name), path: path, mode: 0o644})
		return err
	})
}

// output runs a command and returns what it prints. The repository may belong to somebody else (a container's mount).
func output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
	cmd.Env = append(cmd.Env, env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, &said)
	}
	return strings.TrimSpace(string(out)), nil
}
