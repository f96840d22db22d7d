// Package provision is the seam between what starts a server (its recipe, in internal/servers) and the place where
// it runs. A Host is such a place: this machine today (package local), a container or a pod later.
package provision

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// ErrUnsupported is wrapped by every error of a platform that cannot run servers.
var ErrUnsupported = errors.New("running servers needs Linux; check, report, compare and export work on every system")

// ErrEnded is wrapped by the error of what cannot be done to a process that has ended.
var ErrEnded = os.ErrProcessDone

// Host is a place where processes run. Paths and addresses are the host's own unless a comment says otherwise. What a
// run makes on a host is gone when the run ends, whatever ends it. Safe for concurrent use.
type Host interface {
	Programs
	Files
	Network

	// Self returns the path of this program on the host, to be started there as a server or a client.
	Self() (string, error)
	// Start starts a process in a session and a process group of its own. Of this program's environment it gets what it
	// needs to run, and no more.
	Start(Command) (Process, error)
	// Clocks returns nil, or why the wall clocks of the host's processes cannot be moved. It finds out once.
	Clocks() error
	// ForgetSharedMemory has a System V segment of that user (nil: the default one) removed when its last process
	// detaches from it, so that it does not outlive a server that is killed.
	ForgetSharedMemory(id int, user *User) error
	// OnTrouble has tell called when something happens to what the host itself needs, such as the death of what tidies
	// up. It may be called at any time.
	OnTrouble(tell func(string))
	// Close ends every process that still runs and removes what the run made. Idempotent.
	Close() error
}

// Programs says what is installed on a host.
type Programs interface {
	// Find returns the executables of that name: those on the search path, then those in dirs (glob patterns), each
	// in the order in which they are searched. None is no error.
	Find(name string, dirs ...string) []string
	// Exists reports whether there is a file of that path.
	Exists(path string) bool
	// Output runs a program to its end and returns what it wrote to standard output.
	Output(ctx context.Context, path string, args ...string) (string, error)
	// Unprivileged returns the first user of those names that exists, for a server that refuses to run as root. It
	// returns nil if processes do not run as root anyway.
	Unprivileged(names ...string) (*User, error)
}

// Files are the run's directories on a host.
type Files interface {
	// Dir makes a directory of that name, which is empty if the name is new, and returns its absolute path. It belongs
	// to owner (nil: the default user), and no other user can enter it.
	Dir(name string, owner *User) (string, error)
	// Write makes a file in one of the run's directories. It belongs to the directory's owner, and no other user can
	// read it. Read returns a file's content.
	Write(path string, content []byte) error
	Read(path string) ([]byte, error)
	// Empty removes all that is in a directory of the run, except the files of the given names.
	Empty(dir string, keep ...string) error
}

// Network gives out addresses. No IP is given out twice.
type Network interface {
	// Addresses returns n free addresses ("ip:port") on one IP, where a process of the host can listen. name is for
	// errors.
	Addresses(name string, n int) ([]string, error)
	// LinkIP returns an IP on which this program can listen for the host's processes. Nobody else listens there.
	LinkIP(name string) (string, error)
	// Listen listens at such an IP.
	Listen(addr string) (net.Listener, error)
}

// Command says what to start.
type Command struct {
	// Name is what errors call it ("redis n3").
	Name string
	// Path is the executable; Args are its arguments without the name.
	Path string
	Args []string
	// Dir is the working directory, one that the host's Dir made: its janitor knows the run's processes by that.
	Dir string
	// Log is a file on this machine. Standard output (unless Talk is set) and standard error are appended to it.
	Log string
	// User is whom to run as; nil: the default user.
	User *User
	// Interrupt has Stop send SIGINT instead of SIGTERM.
	Interrupt bool
	// Talk connects standard input and output with Process.Talk.
	Talk bool
}

// User is a numeric user and group of a host.
type User struct{ UID, GID uint32 }

// Process is a process that a Host started. Its family is the process, its group, and all their descendants. Safe for
// concurrent use.
type Process interface {
	// PID is the number of the process, on its host.
	PID() int
	// Exited is closed once the process has ended and its host has noticed.
	Exited() <-chan struct{}
	// Err is why the process ended, with its last log lines; nil if it ended with status 0 or still runs. It wraps an
	// error that says the former without the latter.
	Err() error
	// LogTail returns the last n lines of what the process has logged, without the frames of stacks, and before them
	// some lines that name a cause. What cannot be read is left out.
	LogTail(n int) string
	// Talk is the other end of standard input and output; nil unless Command.Talk is set. The caller closes both.
	Talk() *Talk
	// Suspend stops the family and returns once it stands still. An error that Is ErrEnded: the process has ended.
	Suspend() error
	// Continue undoes Suspend. A process that has ended is no error.
	Continue() error
	// Suspended reports whether the process itself stands still.
	Suspended() bool
	// Stops is sent to when a signal has stopped the process, no matter whose. Stops that nobody received are one.
	Stops() <-chan struct{}
	// Stop asks the process to end, kills it if it does not within grace, and waits for its end.
	Stop(grace time.Duration) error
	// Kill ends the family at once and returns when it is gone. An error that Is ErrEnded: the process has ended.
	Kill() error
	// SkewClock makes the wall clocks of the family show the true time plus offset; 0 undoes it. An error that
	// Is ErrEnded: the process has ended.
	SkewClock(offset time.Duration) error
}

// Talk is the other end of a process's standard input and output. Output stays readable after the process has ended.
type Talk struct {
	Input  io.WriteCloser
	Output io.ReadCloser
}
