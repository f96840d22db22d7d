// Package faults is what lockbench breaks: one file per fault, and the links and processes that faults act on.
package faults

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/nearest"
)

// Cluster is what a fault may act on: the servers of one lock, and the clients that use it.
type Cluster interface {
	// Driver names the lock.
	Driver() string
	// Nodes and Clients name the hosts.
	Nodes() []string
	Clients() []string
	// Links is nil if the clients reach the servers directly.
	Links() *Links
	// Processes are those of the nodes and the clients.
	Processes() *Processes
	// Service is the servers as a whole. It may be a Terminator.
	Service() any
	// Leader names the node that leads now. An error that Is ErrNoMeaning says that the nodes are equals.
	Leader(ctx context.Context) (string, error)
	// Leads reports whether one of the nodes leads the others.
	Leads() bool
	// Holder names the client that holds the lock now.
	Holder() (string, error)
	// Clocks returns nil, or why the wall clocks of the hosts cannot be moved.
	Clocks() error
}

// Fault is a way to break something. It is a value: all that an injection changed is undone by its heal.
type Fault interface {
	Info() Info
	// Available returns nil, or why the fault cannot strike there. It changes nothing; the strike's hosts are not
	// resolved yet.
	Available(c Cluster, s Strike) error
	// Inject strikes the hosts. heal undoes all of it and nothing else, and is idempotent. After an error nothing
	// is broken, unless it comes with a heal.
	Inject(ctx context.Context, c Cluster, s Strike) (heal func(context.Context) error, err error)
}

// Info describes a fault.
type Info struct {
	// Name is the fault's name in scenarios and histories.
	Name string
	// Summary says in one line what it does.
	Summary string
	// Needs says in a few words what it takes, beside its target ("links").
	Needs string
	// Strikes says which hosts can be its target.
	Strikes Side
	// Params are what a scenario may set of it.
	Params []Param
}

// Side is a kind of host.
type Side string

// The sides.
const (
	Servers Side = "servers"
	Clients Side = "clients"
	AnyHost Side = "servers or clients"
)

// Param is a setting of a fault, named as in scenarios.
type Param struct {
	Name     string
	Required bool
	// Signed is true if the value may be negative.
	Signed bool
	Text   string
}

// Params are the settings of faults. What a fault takes of them is in its Info.
type Params struct {
	// Delay is the latency that is added, or the time by which a close is held back.
	Delay time.Duration
	// Jitter is added to Delay, drawn evenly between 0 and it.
	Jitter time.Duration
	// Rate is a bandwidth in KiB/s.
	Rate int64
	// Size is the greatest number of bytes in one piece.
	Size int
	// Gap is the pause between two pieces, or between two restarts.
	Gap time.Duration
	// Up and Down are how long something works and how long it does not, in turns; each is drawn evenly between
	// half of it and one and a half.
	Up, Down time.Duration
	// DeadPeer is after how long in a cut a server drops a connection that it hears nothing of; 0: never.
	DeadPeer time.Duration
	// Offset is by how much a clock jumps; below 0: back; nil: it is not set.
	Offset *time.Duration
	// PPM is how many millionths of a second a clock gains in each second; below 0: loses.
	PPM int64
	// Point is where a client stops itself: AfterGrant or BeforeWrite; empty: wherever it is.
	Point string
}

// The points at which a client can be told to stop.
const (
	// AfterGrant is when its next acquire has returned.
	AfterGrant = "after-grant"
	// BeforeWrite is when it has read, held and checked that it still holds.
	BeforeWrite = "before-write"
)

// set has the parameters that are set, as scenarios call them; a text has its length.
func (p Params) set() map[string]int64 {
	set := map[string]int64{
		"delay": int64(p.Delay), "jitter": int64(p.Jitter), "rate": p.Rate, "size": int64(p.Size), "gap": int64(p.Gap),
		"up": int64(p.Up), "down": int64(p.Down), "dead-peer": int64(p.DeadPeer), "point": int64(len(p.Point)),
		"ppm": p.PPM,
	}
	maps.DeleteFunc(set, func(_ string, value int64) bool { return value == 0 })
	if p.Offset != nil { // a sweep begins with 0
		set["offset"] = int64(*p.Offset)
	}
	return set
}

// Misfit is a setting that a fault needs and is not given, does not have and is given, or that makes no sense.
type Misfit struct {
	Param   string
	Missing bool
	Text    string
}

// Check lists what does not fit the fault, in the order of its names.
func (i Info) Check(p Params) []Misfit {
	set := p.set()
	var misfits []Misfit
	var names []string
	for _, param := range i.Params {
		names = append(names, param.Name)
		if value, is := set[param.Name]; param.Required && !is {
			misfits = append(misfits, Misfit{param.Name, true, fmt.Sprintf("%s needs %s: %s", i.Name, param.Name, param.Text)})
		} else if value < 0 && !param.Signed {
			misfits = append(misfits, Misfit{param.Name, false, fmt.Sprintf("%s of %s is negative", param.Name, i.Name)})
		}
		delete(set, param.Name)
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	for name := range set {
		misfits = append(misfits, Misfit{name, false, fmt.Sprintf("%s has no such setting; there are: %s", i.Name, strings.Join(names, ", "))})
	}
	slices.SortFunc(misfits, func(a, b Misfit) int { return strings.Compare(a.Param, b.Param) })
	return misfits
}

// Strike is one injection of a fault.
type Strike struct {
	Target Target
	// Hosts fill the target's role now.
	Hosts []string
	// Peers are the hosts on the other side of the links that are struck; nil: every server, and for a server
	// every client, that is not among Hosts.
	Peers  []string
	Params Params
	// Rand is the strike's own source of randomness.
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
var ErrNoMeaning = errors.New("not applicable")
