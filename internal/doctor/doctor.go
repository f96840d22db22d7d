// Package doctor looks at what a run needs of this machine, and says what is there, what is not and what to do about
// it. It starts no server and changes nothing.
package doctor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/faults/clocks"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
)

// State is how a check went.
type State string

// The states, from best to worst.
const (
	OK State = "ok"
	// Note: it is not there, and no driver needs it.
	Note State = "note"
	// Warning: everything can start, but may fail later.
	Warning State = "warning"
	// Missing: something cannot run.
	Missing State = "missing"
)

// Check is the outcome of one question.
type Check struct {
	// Name is what was asked for ("redis", "open files").
	Name  string `json:"name"`
	State State  `json:"state"`
	// Version is what it calls itself; empty if it has none or is not there.
	Version string `json:"version,omitempty"`
	// Detail is what was found, in a few words.
	Detail string `json:"detail"`
	// Advice says what to do; empty when there is nothing to do.
	Advice string `json:"advice,omitempty"`
}

// Config is what to look for.
type Config struct {
	Backends []servers.Backend
	// Drivers are the locks that might run; variants are left out of what is said.
	Drivers []drivers.Driver
	// Results is the directory that runs are written to, Scratch the one in which servers live while they run.
	Results, Scratch string
	// DockerHost is where the Docker engine listens: the value of DOCKER_HOST, or empty for its default.
	DockerHost string
}

// Checks asks all questions, in the order in which a reader should see the answers.
func Checks(ctx context.Context, c Config) []Check {
	checks := []Check{platform(runtime.GOOS, runtime.GOARCH)}
	for _, b := range c.Backends {
		checks = append(checks, backend(ctx, b, c.Drivers))
	}
	return append(checks, openFiles(), scratch(ctx, c.Scratch), resultsDir(c.Results), clockSkew(clocks.Probe), docker(ctx, c.DockerHost))
}

// Worst is the worst state of the checks.
func Worst(checks []Check) State {
	order := []State{OK, Note, Warning, Missing}
	worst := OK
	for _, c := range checks {
		if slices.Index(order, c.State) > slices.Index(order, worst) {
			worst = c.State
		}
	}
	return worst
}

func platform(goos, goarch string) Check {
	c := Check{Name: "platform", State: OK, Detail: goos + "/" + goarch}
	if goos != "linux" {
		c.State = Missing
		c.Advice = "lockbench run needs Linux; check and report work here"
	}
	return c
}

func backend(ctx context.Context, b servers.Backend, ds []drivers.Driver) Check {
	var users []string
	for _, d := range ds {
		if d.Info.Backend == b.Name() && d.Info.Variant() == "" {
			users = append(users, d.Info.Name)
		}
	}
	c := Check{Name: string(b.Name()), State: OK, Detail: "for " + strings.Join(users, ", ")}
	if len(users) == 0 {
		c.Detail = ""
	}
	version, err := b.Detect(ctx, local.Programs{})
	if err != nil {
		c.State, c.Advice = Missing, err.Error()
		if len(users) > 0 {
			c.Detail = "without it not run: " + strings.Join(users, ", ")
		}
		return c
	}
	c.Version = version
	return c
}

// minOpenFiles is well above what a run of all drivers holds open in one process: two sockets for each connection
// that crosses a link, and a file for each worker.
const minOpenFiles = 1024

func openFilesCheck(limit uint64) Check {
	c := Check{Name: "open files", State: OK, Detail: fmt.Sprintf("a process may open %d", limit)}
	if limit < minOpenFiles {
		c.State = Warning
		c.Advice = fmt.Sprintf("raise the limit: ulimit -n %d", minOpenFiles)
	}
	return c
}
