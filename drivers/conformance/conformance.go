// Package conformance asks of a driver, against real servers, all that its Info promises and nothing else. It is for
// the tests of lockbench's drivers and for those of drivers in other modules.
package conformance

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

const (
	// TTL is the length of most leases. Every service honours 2 s; a heartbeat is a third of it, and a busy machine
	// takes long to answer.
	TTL = 3 * time.Second
	// long is for a lease that is not to expire by itself within a check, and ample for one that must not, however
	// busy the machine.
	long  = 4 * TTL
	ample = 20 * TTL
	// patience bounds whatever must happen in the end.
	patience = locktest.Patience
	// busy is how long an acquire of a lock that somebody holds is given.
	busy = 150 * time.Millisecond
	// prompt bounds a call that was told to end, and cannot. A machine may be busy; a client library's own time-outs
	// are longer.
	prompt = 3 * time.Second
)

// Servers are running servers, of the kind and number that the driver's Info asks for. They serve nobody else.
type Servers interface {
	// Connect makes a way of its own to all servers for one client, until t ends. The name differs from client to
	// client of t.
	Connect(t testing.TB, name string) Client
}

// Client is one client's way to the servers. If they want credentials, it is an Authorized, too. Checks that need more
// ask whether it is a Cutter, a Delayer or a Resetter, and skip if it is not.
type Client interface {
	// Addrs are where the client reaches the servers ("host:port"), in the servers' order.
	Addrs() []string
}

// Authorized is a Client of servers that do not take anybody.
type Authorized interface {
	Credentials() drivers.Credentials
}

// Cutter is a Client that can be cut off from all servers.
type Cutter interface {
	// Cut holds back what the client sends, what the servers send it, or both; new connections are held back, too. heal
	// delivers what was held back. It may be called twice.
	Cut(requests, replies bool) (heal func())
}

// Delayer is a Client whose round trips can be made longer.
type Delayer interface {
	// Delay makes each round trip to a server longer by d until heal is called, which may be called twice.
	Delay(d time.Duration) (heal func(), err error)
}

// Resetter is a Client whose connections can be broken.
type Resetter interface {
	// Reset ends all connections to the servers, as a reset by the network does. New ones may be made.
	Reset() error
}

// Addrs are servers that can neither be cut off nor delayed: every client uses these addresses.
type Addrs []string

// Connect implements Servers.
func (a Addrs) Connect(testing.TB, string) Client { return a }

// Addrs implements Client.
func (a Addrs) Addrs() []string { return a }

// Run asks the driver for everything, one subtest a promise, in parallel: most of the time is spent waiting for
// leases to expire. It returns when all have ended.
func Run(t *testing.T, d drivers.Driver, s Servers) {
	b := &bench{driver: d, servers: s, id: t.Name()}
	t.Run("conformance", func(t *testing.T) {
		for _, test := range []struct {
			name string
			run  func(*testing.T)
		}{
			{"exclusion", b.exclusion},
			{"contention", b.contention},
			{"namespaces", b.namespaces},
			{"waiter", b.waiter},
			{"long hold", b.longHold},
			{"vanished holder", b.vanishedHolder},
			{"lost", b.lost},
			{"lost in time", b.lostInTime},
			{"reset", b.reset},
			{"tokens", b.tokens},
			{"cancelled", b.cancelled},
			{"cancelled waiter", b.cancelledWaiter},
			{"cancelled behind a cut", b.cancelledBehindCut},
			{"lost reply", b.lostReply},
			{"close", b.close},
			{"close in time", b.closeInTime},
			{"close while waiting", b.closeWhileWaiting},
			{"round trips", b.roundTrips},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				test.run(t)
			})
		}
	})
	t.Run("leaves nothing", b.leavesNothing)
}

// bench is one driver with its servers.
type bench struct {
	driver  drivers.Driver
	servers Servers
	id      string // of this run of the suite
}
