// Package drivers defines what every lock offers to lockbench. Each lock lives in a package of its own
// below this one; drivers/all lists them.
package drivers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/topology"
)

// Locker is one session with a lock service: one connection (or one per server) that one worker owns. It
// is not safe for concurrent use, except that Close may be called at any time and ends a pending call.
type Locker interface {
	// Acquire waits for the lock until ctx ends. An error that Is ErrNotAcquired proves that the lock was not
	// taken and will not be by this call; any other error leaves it open, and the caller must Close the Locker.
	Acquire(ctx context.Context, name string) (Lease, error)
	// Close ends the session and, where the service ties locks to sessions, whatever it holds. It does not
	// wait for a server that does not answer: it returns within about a second.
	Close() error
}

// Lease is one grant of one lock.
type Lease interface {
	// Token is the fencing token of the grant; !ok: this lock has none. It is never made up.
	Token() (token uint64, ok bool)
	// Lost is closed once the client may no longer assume that it holds. It is not closed by Release. If the grant is a
	// lease, it is closed by the lease's end, whatever the client is waiting for (but see Info.LateLoss). The client
	// counts by its own clock, from before it sent the request that extended the lease last.
	Lost() <-chan struct{}
	// Release gives the lock back. An error that Is ErrNotHeld says that the service proved that this grant no
	// longer held it; any other error leaves open whether the lock was given back.
	Release(ctx context.Context) error
}

// ErrNotAcquired is wrapped by every error that proves that an acquire took nothing.
var ErrNotAcquired = errors.New("lock not acquired")

// ErrNotHeld is wrapped by the error of a release of a grant that had already ended at the service.
var ErrNotHeld = errors.New("lock not held")

// NotAcquired wraps the cause of an acquire that is proven to have taken nothing.
func NotAcquired(cause error) error { return fmt.Errorf("%w: %w", ErrNotAcquired, cause) }

// Scope says what a grant lives and dies with.
type Scope string

// The scopes.
const (
	// ScopeKey: a key with an expiry of its own, whoever wrote it.
	ScopeKey Scope = "key"
	// ScopeSession: the client's session with the service.
	ScopeSession Scope = "session"
	// ScopeTransaction: the transaction that took the lock.
	ScopeTransaction Scope = "transaction"
)

// LossBy says whose code finds out that a holder may no longer assume that it holds. A lock whose library says nothing
// owes its signal to lockbench: who uses it without that must write the same.
type LossBy string

// Whose code it is.
const (
	LossByLibrary   LossBy = "client library"
	LossByLockbench LossBy = "lockbench"
)

// Backend names the servers that a driver needs.
type Backend string

// The backends.
const (
	Redis     Backend = "redis"
	Etcd      Backend = "etcd"
	ZooKeeper Backend = "zookeeper"
	Postgres  Backend = "postgres"
)

// Info is what a driver promises. The conformance suite asks for all of it and for nothing else.
type Info struct {
	// Name selects the driver on the command line. A variant is "driver+option".
	Name string
	// Title is the row's name in tables ("Redis SETNX").
	Title string
	// Summary says in one line how the lock works.
	Summary string
	Backend Backend
	// Topology is the servers that it needs, without addresses.
	Topology topology.Topology
	// Token says in a few words where the fencing token comes from ("czxid"); empty: the lock has none.
	Token string
	// Lease is true if a grant ends by itself some time after its holder was last heard of.
	Lease bool
	// Renewed is true if the client extends the lease for as long as it lives.
	Renewed bool
	// MinTTL is the shortest TTL that the service honours; 0: no limit (or no lease).
	MinTTL time.Duration
	Scope  Scope
	// LossBy says whose code closes Lost.
	LossBy LossBy
	// LateLoss is true if the stock client tells the loss late, and Lost may close after the lease's end.
	LateLoss bool
	// LostOnDisconnect is true if Lost closes when a connection breaks, even if the service keeps the lock. Any other
	// lease outlives its connections, and if it is renewed, the client renews it over new ones.
	LostOnDisconnect bool
	// Reentrant is true if one Locker may acquire a lock again that it holds.
	Reentrant bool
	// OneRelease is true if one release gives back a lock that one Locker acquired several times.
	OneRelease bool
	// RoundTrips is how many times an uncontended acquire waits for its servers, one after another.
	RoundTrips int
	// Connections is how many connections a Locker keeps with all its servers together, at most; 0: one.
	Connections int
}

// Variant is the part of the name after "+", or empty.
func (i Info) Variant() string {
	_, option, _ := strings.Cut(i.Name, "+")
	return option
}

// Credentials are what a client proves to the servers that it may use them. Without a password the servers take
// anybody.
type Credentials struct {
	// User is empty if the servers know one user only, or none by name.
	User     string `json:"user,omitempty"`
	Password string `json:"password,omitempty"`
}

// Options are what a run may set of a driver.
type Options struct {
	// Credentials are those of every server.
	Credentials Credentials
	// TTL is the lease's length or the session's time-out; a driver without either uses it for its heartbeat,
	// which must notice a dead connection within it.
	TTL time.Duration
	// Rand is the only source of randomness (owner values, retry jitter). It is this Locker's own.
	Rand *rand.Rand
	// Namespace separates the users of one server. Lockers of one namespace exclude each other; lockers of different
	// namespaces never meet, whatever names their locks have. It is empty, or consists of letters, digits, "-", "_"
	// and ".".
	Namespace string
}

// Key is the name under which the servers know the lock of that name: it starts with the namespace.
func (o Options) Key(name string) string {
	if o.Namespace == "" {
		return name
	}
	return o.Namespace + "/" + name
}

// Driver is one lock implementation, or a variant of one.
type Driver struct {
	Info Info
	// Open connects to the servers at addrs ("host:port", in the order of the cluster's nodes). It takes no lock.
	Open func(ctx context.Context, addrs []string, opt Options) (Locker, error)
	// Ledger is where the writes of the namespace's leases end up, each of which is a Transaction; nil: the lock does
	// not live in a transaction. Of the options it takes the credentials and the namespace.
	Ledger func(addrs []string, opt Options) Ledger
	// TerminateHolders ends the sessions of the namespace that hold one of the driver's locks, as an administrator or
	// an idle time-out does, and returns how many there were. It touches no session of another namespace or program.
	// nil: the servers cannot be told to. Of the options it takes the credentials and the namespace.
	TerminateHolders func(ctx context.Context, addrs []string, opt Options) (int, error)
}

// Source finds drivers by name. A driver may be compiled in, belong to another module's program, or stand for a
// program in another language: who asks sees only Driver.
type Source interface {
	// Find returns the driver that is called name. Whatever it starts to serve the driver ends with ctx.
	Find(ctx context.Context, name string) (Driver, error)
}

// List is the source of the drivers in it.
type List []Driver

// Find implements Source.
func (l List) Find(_ context.Context, name string) (Driver, error) {
	for _, d := range l {
		if d.Info.Name == name {
			return d, nil
		}
	}
	return Driver{}, fmt.Errorf("unknown driver %q", name)
}
