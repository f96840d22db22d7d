// Package agent does everything that happens on a host: it starts processes, gives them directories and
// addresses, and sees to it that none of them outlives the run. The local host is its one instance so far.
package agent

import (
	"errors"
	"io"
	"os"
)

// ErrUnsupported is wrapped by every call of an agent on a platform that cannot run servers.
var ErrUnsupported = errors.New("running servers is supported on Linux only; check and report work everywhere")

// Agent is one host.
type Agent interface {
	// Dir makes a private directory of that name below the run's scratch directory, and returns its absolute
	// path. It is removed with everything in it when the run ends, whatever ends it.
	Dir(name string) (string, error)
	// Address returns a free "ip:port" on a loopback address that no other call returned. name is for errors.
	Address(name string) (string, error)
	// Host returns a loopback IP that no other call returned (for servers with several ports).
	Host(name string) (string, error)
	// Start starts a process in a session and process group of its own.
	Start(Command) (*Process, error)
	// Clocks returns nil, or why the wall clocks of its processes cannot be moved. It is found out once.
	Clocks() error
	// Close ends whatever is still running and removes the scratch directory. Idempotent.
	Close() error
}

// Command says what to start.
type Command struct {
	// Name is how errors call it ("redis n3").
	Name string
	// Path is the executable; Args are its arguments without the name.
	Path string
	Args []string
	// Env is added to the agent's own environment.
	Env []string
	// Dir is the working directory; it must lie below the scratch directory, for that is how the janitor
	// recognizes the processes of a run.
	Dir string
	// Log receives standard output (unless Stdout is set) and standard error; created, or appended to.
	Log string
	// User, if set, is whom to run as (needs root).
	User *User
	// Stdin and Stdout are inherited by the process if set.
	Stdin, Stdout *os.File
}

// User is a numeric user and group.
type User struct{ UID, GID uint32 }

// Executable is the path of the running program, for re-executing it as a server, a client or the janitor.
func Executable() (string, error) { return os.Executable() }

var _ io.Closer = Agent(nil)
