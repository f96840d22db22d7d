package faults

import (
	"context"
)

// Process is a server or a client as faults see it. Its methods do not count: Processes does.
type Process interface {
	// Suspend stops the process and all that belong to it (SIGSTOP) and returns once they stand still.
	Suspend() error
	// Continue lets it go on (SIGCONT).
	Continue() error
	// Kill ends it (SIGKILL) and returns when it is gone.
	Kill() error
	// Start starts it again at the same addresses and with its data, and returns when it serves.
	Start(ctx context.Context) error
}

// Durable is a Process that may keep on disk what it acknowledged.
type Durable interface {
	// Durable returns nil if a killed process comes back with all that it acknowledged, or why it does not.
	Durable() error
}

// Wiper is a Process that can lose its data.
type Wiper interface {
	// Wipe removes the data of a process that was killed. The next Start joins it to its cluster again, if it has one.
	Wipe() error
}

// Processes are those of a cluster and its clients. It counts the faults that hold each: a process runs when none
// does. Safe for concurrent use.
type Processes struct{}
