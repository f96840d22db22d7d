// Package workload is the client process: several workers that take locks and use the resource as they are told
// to over a protocol of JSON lines, one command or event a line.
package workload

import (
	"time"

	"github.com/lockbench/lockbench/drivers"
)

// ProtocolVersion is sent with Open; a client refuses any other.
const ProtocolVersion = 3

// Subcommand is the hidden subcommand under which the program runs as a client.
const Subcommand = "internal-client"

// Command is one line to the client. Exactly one field is set.
type Command struct {
	// Open is the first command. The client answers Ready.
	Open *Open `json:"open,omitempty"`
	// Work makes the workers cycle from now on under this workload.
	Work *Workload `json:"work,omitempty"`
	// Rest makes the workers finish their cycle, without waiting for a hold to end, and pause. The client answers
	// Resting.
	Rest *struct{} `json:"rest,omitempty"`
	// Hold makes a grant of this client, one that is asked for from now on, last until Resume, or its loss if the
	// workload heeds that. The client answers Holding once it is granted, and Held when the hold is over.
	Hold *Hold `json:"hold,omitempty"`
	// Resume ends what Hold began.
	Resume *struct{} `json:"resume,omitempty"`
	// Quit makes the client close its sessions and exit.
	Quit *struct{} `json:"quit,omitempty"`
}

// Open says what the client is.
type Open struct {
	Version  int           `json:"version"`
	Client   string        `json:"client"`
	Driver   string        `json:"driver"`
	Servers  []string      `json:"servers"`  // "ip:port" of the links to the nodes, in the nodes' order
	Resource string        `json:"resource"` // "ip:port"
	Fenced   bool          `json:"fenced"`   // send tokens
	TTL      time.Duration `json:"ttl_ns"`
	Seed     uint64        `json:"seed"`
	// Namespace separates the test's locks from those of others at the same servers; see drivers.Options.
	Namespace string `json:"namespace,omitempty"`
	Workers   int    `json:"workers"`
	// FirstProcess is the process number of the first worker; the others count on. A worker that goes on under a
	// new number adds Stride, the number of workers of all clients.
	FirstProcess int64  `json:"first_process"`
	Stride       int64  `json:"stride"`
	Dir          string `json:"dir"` // where the streams of the history go
	// Life counts the processes that were this client, from 1; each has streams of its own.
	Life int `json:"life"`
	// InTransaction makes the workers read and write in the lock's own transaction instead of asking the resource.
	InTransaction bool `json:"in_transaction,omitempty"`
	// Secret is what the resource wants to hear, Credentials what the servers want.
	Secret      string              `json:"secret"`
	Credentials drivers.Credentials `json:"credentials"`
}

// Workload says how the workers behave.
type Workload struct {
	// Active is how many of the workers work; the others rest.
	Active int `json:"active"`
	// Locks are the names of the test's locks; each cycle draws one.
	Locks []string `json:"locks"`
	// OppositeOrder makes each cycle take two locks, in one order in workers of even number, the other way round in
	// those of odd number.
	OppositeOrder bool `json:"opposite_order,omitempty"`
	// HoldMin and HoldMax bound the time between the read and the write, drawn evenly.
	HoldMin time.Duration `json:"hold_min_ns"`
	HoldMax time.Duration `json:"hold_max_ns"`
	// ThinkMin and ThinkMax bound the pause between two cycles of a closed loop.
	ThinkMin time.Duration `json:"think_min_ns"`
	ThinkMax time.Duration `json:"think_max_ns"`
	// Interval, if not 0, makes the load an open loop: a worker's acquires are intended one Interval apart, whether
	// or not the one before has returned.
	Interval time.Duration `json:"interval_ns"`
	// AcquireTimeout bounds an acquire; Timeout bounds each other call.
	AcquireTimeout time.Duration `json:"acquire_timeout_ns"`
	Timeout        time.Duration `json:"timeout_ns"`
	// Heeding makes a worker stop using a grant as soon as it is told that it may no longer assume to hold it.
	Heeding bool `json:"heeding"`
}

// leastLocks is how many locks a cycle takes.
func (w *Workload) leastLocks() int {
	if w.OppositeOrder {
		return 2
	}
	return 1
}

// Hold asks for one grant that lasts.
type Hold struct {
	// ID, from 1, numbers the request, so that a late answer is not taken for the next one's.
	ID int64 `json:"id"`
	// Stop, if it is AfterGrant or BeforeWrite, makes the client stop its whole process group (SIGSTOP) there, instead
	// of waiting for Resume. Holding is sent right before.
	Stop string `json:"stop,omitempty"`
	// InUse lets a grant that the client has already last.
	InUse bool `json:"in_use,omitempty"`
}

// Where a Hold can stop the client.
const (
	AfterGrant  = "after-grant"
	BeforeWrite = "before-write" // after it has read, held and checked that it still holds
)

// Event is one line from the client. Exactly one field is set.
type Event struct {
	Ready   *struct{} `json:"ready,omitempty"`
	Resting *struct{} `json:"resting,omitempty"`
	Holding *Holding  `json:"holding,omitempty"`
	Held    *Held     `json:"held,omitempty"`
	// Failed says that the client cannot go on: it cannot record, or was told nonsense. It exits.
	Failed *Failed `json:"failed,omitempty"`
}

// Holding says which grant the Hold command got.
type Holding struct {
	ID      int64  `json:"id"`
	Process int64  `json:"process"`
	Grant   int64  `json:"grant"`
	Lock    string `json:"lock"`
}

// Held says how it ended.
type Held struct {
	ID   int64 `json:"id"`
	Lost bool  `json:"lost"` // the worker was told that it lost the lock
}

// Failed carries the error.
type Failed struct {
	Error string `json:"error"`
}
