// Package scenarios holds what a run does, as data: the scenario type, its loader and the scenarios that are
// shipped, one YAML file each.
package scenarios

// Scenario is one YAML file.
type Scenario struct {
	// Name is the run's in tables and file names.
	Name string `yaml:"name" jsonschema:"required"`
	// Summary says in two sentences what the scenario shows.
	Summary string `yaml:"summary" jsonschema:"required"`
	// Group says what it breaks: none, network, clients, servers, clocks or mixed. Lists are sorted by it; empty: mixed.
	Group string `yaml:"group,omitempty" jsonschema:"enum=none,enum=network,enum=clients,enum=servers,enum=clocks,enum=mixed"`
	// Drivers are those that run unless the user names others; empty: every lock, without the variants.
	Drivers []string `yaml:"drivers,omitempty"`
	// Topology says how the servers are set up.
	Topology Topology `yaml:"topology,omitempty"`
	// Workload says how much load there is and of what kind.
	Workload Workload `yaml:"workload" jsonschema:"required"`
	// Phases follow one another.
	Phases []Phase `yaml:"phases" jsonschema:"required,minItems=1"`
	// Require is what a history must show to prove anything; less is unknown.
	Require Require `yaml:"require"`
	// Liveness bounds how long a lock may keep its clients waiting, and how unevenly; empty: only after the last heal.
	Liveness Liveness `yaml:"liveness,omitempty"`
	// Expect names the verdicts that are no surprise. A test that no entry matches is expected to be valid.
	Expect []Expect `yaml:"expect,omitempty"`
	// Sweep repeats the run with one value of the scenario changed.
	Sweep *Sweep `yaml:"sweep,omitempty"`

	file   string // that it was read from
	source []byte // what that says; nil: it was made otherwise
}

// Topology says how the servers are set up.
type Topology struct {
	// Durable makes Redis write every change to disk before it answers. The other servers always do.
	Durable bool `yaml:"durable,omitempty"`
}

// Workload says how much load there is and of what kind.
type Workload struct {
	// Clients is the number of client processes.
	Clients int `yaml:"clients" jsonschema:"required,minimum=1,maximum=100"`
	// Workers is the number of workers in each client. There must be two workers in all.
	Workers int `yaml:"workers" jsonschema:"required,minimum=1,maximum=1000"`
	// Locks is the number of locks; a cycle takes one, drawn.
	Locks int `yaml:"locks" jsonschema:"required,minimum=1,maximum=10000"`
	// Renewal says of the locks whose lease a client can renew whether it does: on, off, or both, a row for each;
	// empty: what Drivers names. Drivers that the user names run as they are.
	Renewal Toggle `yaml:"renewal,omitempty"`
	// OppositeOrder makes a cycle take two locks, in one order in half of the workers and the other way round in the
	// rest.
	OppositeOrder bool `yaml:"opposite-order,omitempty"`
	// TTL is the length of leases and sessions.
	TTL Duration `yaml:"ttl" jsonschema:"required"`
	// Hold is the time between the read and the write of a cycle, drawn evenly.
	Hold Range `yaml:"hold"`
	// Think is the pause between two cycles of a closed loop, drawn evenly.
	Think Range `yaml:"think"`
	// Rate, if not 0, is the number of acquires per second of all workers together: an open loop.
	Rate float64 `yaml:"rate,omitempty" jsonschema:"minimum=0,maximum=100000"`
	// AcquireTimeout bounds an acquire. It must be below the TTL for tokenless locks to show stale writes: a rival
	// that already waited when the holder was granted is in no order with it.
	AcquireTimeout Duration `yaml:"acquire-timeout" jsonschema:"required"`
	// Fencing: is the resource fenced, so that it refuses old tokens? Both makes a test of each.
	Fencing Fencing `yaml:"fencing" jsonschema:"required"`
	// Lost: when its library tells a worker that it lost the lock, does it stop (heeding) or work on (ignoring)? Both
	// makes a test of each.
	Lost Lost `yaml:"lost" jsonschema:"required"`
	// Resource is where the protected data lives; empty: external.
	Resource Resource `yaml:"resource,omitempty"`
}

// Phase is one part of a scenario; phases follow one another.
type Phase struct {
	// Name is the phase's in tables and histories, and no other phase's.
	Name string `yaml:"name" jsonschema:"required"`
	// Drivers are those that run the phase; empty: all.
	Drivers []string `yaml:"drivers,omitempty"`
	// Alone: no other driver runs meanwhile, and the driver's other tests leave the phase out.
	Alone bool `yaml:"alone,omitempty"`
	// Latency: the phase's acquires are the latency of the tables.
	Latency bool `yaml:"latency,omitempty"`
	// For is how long the phase lasts, or how long it lasts at least after its last fault was injected. In multiples of
	// the TTL with the unit "ttl".
	For Span `yaml:"for" jsonschema:"required"`
	// Until, if it is "rival", makes the phase last until a rival of the holder that its faults need was granted the
	// lock, where those faults can bring that about, or until a bound has passed.
	Until Event `yaml:"until,omitempty" jsonschema:"enum=rival"`
	// Workload overrides the scenario's for this phase.
	Workload *Override `yaml:"workload,omitempty"`
	// Holder is the client that is made to hold the lock where a fault needs a holder; empty: one is drawn; "any": who
	// holds it, or is granted it next.
	Holder string `yaml:"holder,omitempty"`
	// Faults are injected one after another once the phase has shown progress; all are healed before the phase ends.
	Faults []Fault `yaml:"faults,omitempty"`
	// Draw, if not 0, is how many faults are injected: each is drawn from Faults.
	Draw int `yaml:"draw,omitempty" jsonschema:"minimum=0,maximum=1000"`
}

// AnyHolder is the Holder of a phase that takes whoever holds the lock.
const AnyHolder = "any"

// Override is the part of a workload that a phase may change.
type Override struct {
	// Clients is at most the scenario's; the others rest.
	Clients *int `yaml:"clients,omitempty" jsonschema:"minimum=1,maximum=100"`
	// Workers is at most the scenario's; the others rest.
	Workers *int `yaml:"workers,omitempty" jsonschema:"minimum=1,maximum=1000"`
	// Hold replaces the scenario's.
	Hold *Range `yaml:"hold,omitempty"`
	// Think replaces the scenario's.
	Think *Range `yaml:"think,omitempty"`
}

// Require is what a history must show to prove anything.
type Require struct {
	// Grants before the first fault, and after the last one healed.
	Grants int `yaml:"grants" jsonschema:"minimum=0"`
	// Attempts are acquires that wait when a fault begins, or are invoked while it lasts: during each fault.
	Attempts int `yaml:"attempts" jsonschema:"minimum=0"`
	// Allowance is added to the TTL for the time within which a lock must be granted again after a heal.
	Allowance Duration `yaml:"allowance"`
}

// Liveness is what a lock promises to those who wait.
type Liveness struct {
	// GrantedWithin is how long a lock that is asked for, and that nobody holds, may go without a grant, while no fault
	// is in force. In multiples of the TTL with the unit "ttl".
	GrantedWithin *Span `yaml:"granted-within,omitempty"`
	// Share is the least part of all grants that each client must get that asks for a lock.
	Share float64 `yaml:"share,omitempty" jsonschema:"minimum=0,maximum=1"`
}

// Expect says what is expected of the tests that it matches.
type Expect struct {
	// Drivers are names of drivers or variants; empty: all.
	Drivers []string `yaml:"drivers,omitempty"`
	// Fencing restricts the match; empty: both.
	Fencing Fencing `yaml:"fencing,omitempty"`
	// Lost restricts the match; empty: both.
	Lost Lost `yaml:"lost,omitempty"`
	// Exclusion is what is expected of mutual exclusion: "valid", "invalid" or "any"; empty: valid.
	Exclusion string `yaml:"exclusion,omitempty" jsonschema:"enum=valid,enum=invalid,enum=any"`
	// Data is what is expected of the protected data: "valid", "invalid" or "any"; empty: valid.
	Data string `yaml:"data,omitempty" jsonschema:"enum=valid,enum=invalid,enum=any"`
}

// Sweep changes one value of the scenario from run to run.
type Sweep struct {
	// Path names the value as YAML paths do ("$.workload.hold", "$.phases[1].faults[0].delay").
	Path string `yaml:"path" jsonschema:"required"`
	// Values are put there, one after another: any YAML, as text.
	Values []string `yaml:"values" jsonschema:"required,minItems=1,maxItems=1000"`
}
