package local

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/stranger"
)

// brief is a run that says where its files are, and ends with its input.
func brief() error {
	h, err := New()
	if err != nil {
		return err
	}
	fmt.Println(h.Scratch())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return h.Close()
}

// Processes of another user do not keep a run from ending, whatever their command line names, and wherever they work.
func TestProcessesOfStrangers(t *testing.T) {
	run := stranger.Command(t, stranger.Self(t), "brief")
	var said strings.Builder
	run.Stderr = &said
	stdin, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, run.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the run did not start: %v\n%s", err, said.String())
	}
	scratch := strings.TrimSpace(line)
	for _, dir := range []string{"/", scratch} { // the run may not read where this user's processes work
		other := exec.Command("/bin/sh", "-c", "read wait", "sh", scratch)
		other.Dir = dir
		in, err := other.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		must.Succeed(t, other.Start())
		defer func() {
			must.Succeed(t, in.Close())
			if err := other.Wait(); err == nil || other.ProcessState.ExitCode() < 0 {
				t.Errorf("a process of another user in %s: %v, want that nobody killed it", dir, err)
			}
		}()
	}
	must.Succeed(t, stdin.Close())
	if err := run.Wait(); err != nil {
		t.Errorf("the run failed at its end: %v\n%s", err, said.String())
	}
	if _, err := os.Stat(scratch); err == nil {
		t.Errorf("%s was left behind", scratch)
	}
}

// Nobody else can read a run's files, or put any among them.
func TestFilesFromStrangers(t *testing.T) {
	h := host(t)
	dir, err := h.Dir("server", nil)
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, h.Write(filepath.Join(dir, "secret"), []byte("secret\n")))
	for _, script := range []string{
		`ls "$1"`, `touch "$1/planted"`, `ln -s / "$1/planted"`, `cd "$1/server"`, `cat "$1/server/secret"`,
		`mv "$1" "$1-away"`, `mkdir "$1/client"`,
	} {
		if ok, said := stranger.Can(t, script, h.Scratch()); ok {
			t.Errorf("another user can: %s\n%s", script, said)
		}
	}
	must.Succeed(t, os.Symlink("/tmp", filepath.Join(dir, "link")))
	if err := h.Write(filepath.Join(dir, "link"), nil); err == nil {
		t.Error("a file was written through a link")
	}
}

// However many runs there are, another one finds addresses: nobody can take them all.
func TestAddressesForEveryRun(t *testing.T) {
	for range 300 {
		n := newNetwork()
		if _, err := n.ip(); err != nil {
			t.Fatal(err)
		}
	}
	n := network{next: addresses - 1}
	for _, want := range []string{"127.251.251.251", "127.2.2.2", "127.2.2.3"} {
		if ip, err := n.ip(); err != nil || ip != want {
			t.Errorf("address %s (%v), want %s", ip, err, want)
		}
	}
	n.given = addresses
	if ip, err := n.ip(); err == nil {
		t.Errorf("%s was given out twice", ip)
	}
}
