// Package faults has one file per fault. A fault's file also declares its settings and traits: a new fault, with
// whatever settings, needs its file and its line in All, and nothing else.
package faults

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/lockbench/lockbench/faults/links"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/topology"
)

// Cluster is what a fault may act on: the servers of one lock, and the clients that use it.
type Cluster interface {
	Hosts
	// Holder names the client that holds the lock now.
	Holder() (string, error)
}

// Hosts is a Cluster in which nobody knows who holds the lock.
type Hosts interface {
	// Driver names the lock.
	Driver() string
	// Topology says what the servers are to each other.
	Topology() topology.Topology
	// Clients names the clients.
	Clients() []string
	// Links is nil if the clients reach the servers directly.
	Links() *links.Links
	// Processes are those of the nodes and the clients.
	Processes() *processes.Processes
	// Service is the servers as a whole. It may be a Terminator.
	Service() any
	// Leader names the node that leads now.
	Leader(ctx context.Context) (string, error)
	// Clocks returns nil, or why the wall clocks of the hosts cannot be moved.
	Clocks() error
}

// Fault is a way to break something. It is a value: all that an injection changed is undone by its heal.
type Fault interface {
	Info() Info
	// Available returns nil, or why the fault cannot be injected there. It changes nothing. The hosts of the
	// injection are not resolved yet, and its settings are valid.
	Available(c Cluster, in Injection) error
	// Inject injects the fault into the hosts. heal undoes all of it and nothing else, and is idempotent. After an
	// error nothing is broken, unless it comes with a heal.
	Inject(ctx context.Context, c Cluster, in Injection) (heal func(context.Context) error, err error)
}

// Info describes a fault.
type Info struct {
	// Name is the fault's name in scenarios and histories.
	Name string
	// Summary says in one line what it does.
	Summary string
	// Needs says in a few words what it takes, beside its target ("links").
	Needs string
	// Targets says which hosts can be its target.
	Targets Side
	// Settings are what a scenario may set of it.
	Settings []Setting
	// Traits say what else lockbench must know of it.
	Traits []Trait
}

// Has reports whether the fault has the trait.
func (i Info) Has(t Trait) bool { return slices.Contains(i.Traits, t) }

// Trait is what others must know of a fault, so that they need not know its name.
type Trait string

// The traits.
const (
	// Kills: it ends processes.
	Kills Trait = "kills"
	// Pauses: it suspends processes.
	Pauses Trait = "pauses"
	// CutsOff: nothing passes between its target and the peers while it lasts.
	CutsOff Trait = "cuts-off"
	// MovesClocks: it moves wall clocks.
	MovesClocks Trait = "moves-clocks"
	// TakesLock: a holder that it hits loses the lock also if the lock has no lease.
	TakesLock Trait = "takes-lock"
	// LosesData: servers come back without their data. Whether that is outside the lock's fault model, the process says
	// (processes.OutsideModel).
	LosesData Trait = "loses-data"
)

// Side is a kind of host.
type Side string

// The sides.
const (
	Servers Side = "servers"
	Clients Side = "clients"
	AnyHost Side = "servers or clients"
)

// Injection is one injection of a fault.
type Injection struct {
	Target Target
	// Hosts fill the target's role now.
	Hosts []string
	// Peers are the hosts on the other side of the links; nil: every server, and for a server every client, that is not
	// among Hosts.
	Peers    []string
	Settings Settings
	// Rand is the injection's own source of randomness.
	Rand *rand.Rand
}

// Terminator is a service that can end the sessions that hold a lock, as an operator or a failover does.
type Terminator interface {
	// TerminateHolders ends the sessions of all who hold a lock and returns how many there were.
	TerminateHolders(ctx context.Context) (int, error)
}

// All lists the faults.
func All() []Fault {
	return []Fault{
		Amnesia{},
		Bandwidth{},
		Blackhole{},
		Chop{},
		ClockDrift{},
		ClockJump{},
		ClockStrobe{},
		Crash{},
		Flapping{},
		Latency{},
		Partition{},
		Pause{},
		Reset{},
		Ring{},
		RollingRestart{},
		SlowClose{},
		Terminate{},
	}
}

// Find returns the fault of that name.
func Find(name string) (Fault, error) {
	names := make([]string, 0, len(All()))
	for _, f := range All() {
		if f.Info().Name == name {
			return f, nil
		}
		names = append(names, f.Info().Name)
	}
	return nil, errors.New(nearest.Unknown("fault", name, names))
}

// ErrNoMeaning is wrapped by the error of a role that a cluster can never fill (a minority of one server), or of a
// fault that can do nothing there.
var ErrNoMeaning = topology.ErrNotApplicable
