package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/topology"
)

var server Server

// TestMain lets the test program be a coordinator that is about to be killed, too.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "doomed" {
		fmt.Fprintln(os.Stderr, doomed(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(Run(m, func(s Server) { server = s }))
}

// doomed starts a server with a client, says where, and waits for SIGKILL.
func doomed(logs string) error {
	host, err := local.New()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := servers.Postgres{}.Start(ctx, servers.Spec{Name: "doomed", Nodes: 1, Host: host, LogDir: logs})
	if err != nil {
		return errors.Join(err, host.Close())
	}
	fmt.Println(host.Scratch(), c.Nodes()[0].Addr, c.Credentials().User, c.Credentials().Password)
	select {}
}

// workingBelow lists the processes whose working directory lies in dir or, where that may not be read, whose command
// line names it.
func workingBelow(t *testing.T, dir string) []string {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range processes {
		cwd, err := os.Readlink(filepath.Join(p, "cwd"))
		if errors.Is(err, os.ErrPermission) {
			cmdline, _ := os.ReadFile(filepath.Join(p, "cmdline")) // it may be gone by now
			if strings.Contains(string(cmdline), filepath.Base(dir)) {
				found = append(found, p)
			}
		} else if err == nil && strings.HasPrefix(cwd, dir) {
			found = append(found, p)
		}
	}
	return found
}

// segments lists the numbers of the System V shared memory segments of the host.
func segments(t *testing.T) map[string]bool {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, line := range strings.Split(string(table), "\n")[1:] {
		if fields := strings.Fields(line); len(fields) > 1 {
			ids[fields[1]] = true
		}
	}
	return ids
}

func TestSIGKILLOfTheCoordinatorLeavesNothing(t *testing.T) {
	server.Need(t)
	cmd := exec.Command(os.Args[0], "doomed", t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the coordinator did not start: %v", err)
	}
	said := strings.Fields(line)
	if len(said) != 4 {
		t.Fatalf("the coordinator says %q", line)
	}
	scratch := said[0]
	Server{Addr: said[1], Credentials: drivers.Credentials{User: said[2], Password: said[3]}}.Exec(t, "select 1")
	if n := len(workingBelow(t, scratch)); n < 3 {
		t.Fatalf("%d processes of the server found by their directory, want several", n)
	}
	pid, err := os.ReadFile(filepath.Join(scratch, "doomed-n1", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	segment := strings.Fields(strings.Split(string(pid), "\n")[6])[1]
	if !segments(t)[segment] {
		t.Fatalf("the server's shared memory %s is not listed", segment)
	}
	must.Succeed(t, cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	for deadline := time.Now().Add(locktest.Patience); ; time.Sleep(5 * time.Millisecond) {
		_, err := os.Stat(scratch)
		processes, memory := workingBelow(t, scratch), segments(t)[segment]
		if errors.Is(err, os.ErrNotExist) && len(processes) == 0 && !memory {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind: processes %v, directory (%v), shared memory %v", processes, err, memory)
		}
	}
}

func newHost(t *testing.T) *local.Host {
	t.Helper()
	host, err := local.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}

func TestCluster(t *testing.T) {
	server.Need(t)
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	host := newHost(t)
	spec := servers.Spec{Name: "n", Nodes: 1, Host: host, LogDir: t.TempDir()}
	c, err := servers.Postgres{}.Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	detected, err := servers.Postgres{}.Detect(ctx, local.Programs{})
	if major, _ := strconv.ParseFloat(c.Version(), 64); err != nil || major < 9 || c.Version() != detected {
		t.Errorf("version %q, detected %q (%v)", c.Version(), detected, err)
	}
	if _, err := c.Leader(ctx); !errors.Is(err, topology.ErrNotApplicable) {
		t.Errorf("leader: %v", err)
	}
	if got := (servers.Postgres{}).Name(); got != drivers.Postgres {
		t.Errorf("name %q", got)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if n := workingBelow(t, filepath.Join(host.Scratch(), "n-n1")); len(n) > 0 {
		t.Errorf("processes after Stop: %v", n)
	}
	spec.Nodes = 3
	if _, err := (servers.Postgres{}).Start(ctx, spec); err == nil {
		t.Error("three nodes started")
	}
}

// A server that cannot start says why: here initdb finds the data directory of another cluster of the same name.
func TestStartSaysWhatIsWrong(t *testing.T) {
	server.Need(t)
	host := newHost(t)
	dir, err := host.Dir("n-n1", nil)
	if err != nil {
		t.Fatal(err)
	}
	must.Succeed(t, os.WriteFile(filepath.Join(dir, "occupied"), nil, 0o644))
	ctx, cancel := context.WithTimeout(context.Background(), locktest.Patience)
	defer cancel()
	_, err = servers.Postgres{}.Start(ctx, servers.Spec{Name: "n", Nodes: 1, Host: host, LogDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "exists but is not empty") {
		t.Errorf("error %v does not say that the directory is occupied", err)
	}
}

// Start gives up with its context and leaves no process, whenever that is.
func TestStartCancelled(t *testing.T) {
	server.Need(t)
	host := newHost(t)
	for i, d := range []time.Duration{time.Millisecond, 300 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		c, err := servers.Postgres{}.Start(ctx, servers.Spec{Name: fmt.Sprint("n", i), Nodes: 1, Host: host, LogDir: t.TempDir()})
		cancel()
		if err == nil { // on a machine that is faster than this test knows
			if err := c.Stop(); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("start within %v: %v", d, err)
		}
	}
}
