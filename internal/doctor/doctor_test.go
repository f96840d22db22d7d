package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults/clocks"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/servers"
)

// stub is a backend of which only the detection is asked for.
type stub struct {
	servers.Backend
	name    drivers.Backend
	version string
	err     error
}

func (s stub) Name() drivers.Backend                                      { return s.name }
func (s stub) Detect(context.Context, provision.Programs) (string, error) { return s.version, s.err }

var someDrivers = []drivers.Driver{
	{Info: drivers.Info{Name: "redis-setnx", Backend: drivers.Redis}},
	{Info: drivers.Info{Name: "redis-setnx+renew", Backend: drivers.Redis}},
	{Info: drivers.Info{Name: "redis-redlock", Backend: drivers.Redis}},
	{Info: drivers.Info{Name: "etcd", Backend: drivers.Etcd}},
}

func TestBackend(t *testing.T) {
	for _, c := range []struct {
		name string
		b    stub
		want Check
	}{
		{"there", stub{name: drivers.Redis, version: "7.0.15"},
			Check{Name: "redis", State: OK, Version: "7.0.15", Detail: "for redis-setnx, redis-redlock"}},
		{"missing", stub{name: drivers.Etcd, err: errors.New("gone; install it")},
			Check{Name: "etcd", State: Missing, Detail: "without it not run: etcd", Advice: "gone; install it"}},
		{"nobody's", stub{name: drivers.ZooKeeper, version: "3.8.0"},
			Check{Name: "zookeeper", State: OK, Version: "3.8.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := backend(t.Context(), c.b, someDrivers); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		states []State
		want   State
	}{
		{nil, OK},
		{[]State{OK, Note}, Note},
		{[]State{Warning, OK, Note}, Warning},
		{[]State{OK, Missing, Warning}, Missing},
	} {
		var checks []Check
		for _, s := range c.states {
			checks = append(checks, Check{State: s})
		}
		if got := Worst(checks); got != c.want {
			t.Errorf("worst of %v is %s, want %s", c.states, got, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		got  Check
		want State
	}{
		{"linux", platform("linux", "arm64"), OK},
		{"another system", platform("darwin", "arm64"), Missing},
		{"enough files", openFilesCheck(minOpenFiles), OK},
		{"few files", openFilesCheck(minOpenFiles - 1), Warning},
		{"enough space", scratchSpace("/tmp", minFree), OK},
		{"little space", scratchSpace("/tmp", minFree-1), Warning},
	} {
		if c.got.State != c.want {
			t.Errorf("%s: %+v, want %s", c.name, c.got, c.want)
		}
		if (c.got.State == OK) != (c.got.Advice == "") {
			t.Errorf("%s: advice %q for state %s", c.name, c.got.Advice, c.got.State)
		}
	}
}

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		got  Check
		want State
	}{
		{"results there", resultsDir(dir), OK},
		{"results to be made", resultsDir(filepath.Join(dir, "a", "b")), OK},
		{"results below a file", resultsDir(filepath.Join(file, "a")), Missing},
		{"results a file", resultsDir(file), Missing},
		{"no scratch", scratch(t.Context(), filepath.Join(dir, "none")), Missing},
	} {
		if c.got.State != c.want {
			t.Errorf("%s: %+v, want %s", c.name, c.got, c.want)
		}
	}
	if c := scratch(t.Context(), dir); c.State == Missing || !strings.Contains(c.Detail, "GiB free") {
		t.Errorf("scratch: %+v", c)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the checks left something in the directory: %v %v", entries, err)
	}
}

// serve answers every request on a socket of its own, and returns the socket as DOCKER_HOST names it.
func serve(t *testing.T, status int, body string) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/version" {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(status)
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "unix://" + socket
}

func TestDocker(t *testing.T) {
	const version = `{"Version":"20.10.24"}`
	for _, c := range []struct {
		name, host string
		want       State
	}{
		{"engine", serve(t, http.StatusOK, version), OK},
		{"refuses", serve(t, http.StatusForbidden, version), Note},
		{"not Docker", serve(t, http.StatusOK, "hello"), Note},
		{"no version", serve(t, http.StatusOK, "{}"), Note},
		{"nobody", "unix://" + filepath.Join(t.TempDir(), "none"), Note},
		{"unknown scheme", "ssh://host", Note},
		{"no address", "::", Note},
	} {
		got := docker(t.Context(), c.host)
		if got.State != c.want || (got.Version == "20.10.24") != (c.want == OK) {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

func TestClocks(t *testing.T) {
	if c := clockSkew(func() error { return nil }); c.State != OK {
		t.Errorf("they can be skewed: %+v", c)
	}
	refused := fmt.Errorf("%w: why", clocks.ErrUnsupported)
	if c := clockSkew(func() error { return refused }); c.State != Note || c.Detail != refused.Error() {
		t.Errorf("they cannot: %+v", c)
	}
}

func TestChecks(t *testing.T) {
	checks := Checks(t.Context(), Config{
		Backends: []servers.Backend{stub{name: drivers.Redis, version: "7.0.15"}, stub{name: drivers.Etcd, err: errors.New("gone")}},
		Drivers:  someDrivers, Results: t.TempDir(), Scratch: t.TempDir(),
		DockerHost: "unix://" + filepath.Join(t.TempDir(), "none"),
	})
	var names []string
	for _, c := range checks {
		names = append(names, c.Name)
	}
	if got, want := strings.Join(names, " "), "platform redis etcd open files scratch results clock skew docker"; got != want {
		t.Errorf("checks %q, want %q", got, want)
	}
	if Worst(checks) != Missing {
		t.Errorf("etcd is missing, and the worst is %s on %s", Worst(checks), runtime.GOOS)
	}
}
