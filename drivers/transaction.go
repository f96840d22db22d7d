package drivers

import "context"

// Transaction is what a Lease implements whose lock is held by a transaction of a database (see Driver.Ledger): it
// reads and writes the protected item in that very transaction. What it wrote takes effect only if the transaction is
// committed, by the Release of the last lease that shares it, and vanishes in every other end of it.
type Transaction interface {
	// Read returns the number of writes applied to the lock's item, and its value. After an error nothing was read.
	Read(ctx context.Context, lock string) (version uint64, value int64, err error)
	// Write writes the item and notes it in the ledger, and returns the item's new version. An error proves that
	// the write will never take effect. So does an end of the lease other than by Release. A Release that returns an
	// error leaves it open: the ledger knows.
	Write(ctx context.Context, w Write) (version uint64, err error)
}

// Write is one write of a lock's item, as the ledger keeps it.
type Write struct {
	Lock, Client            string
	Process, Grant, Request int64
	// Base is the version that the writer had read.
	Base uint64
	// Value is what it wrote; the ledger does not keep it.
	Value int64
	// Version is the item's after the write, from 1: the order of the lock's writes. Only the ledger sets it.
	Version uint64
}

// Ledger is the list of the writes that were made in the locks' own transactions. It is for the coordinator, which
// asks over a connection of its own.
type Ledger interface {
	// Reset makes a ledger without writes: it removes those of this namespace, and no others.
	Reset(ctx context.Context) error
	// Settle ends all sessions of the namespace, so that nothing is in doubt any more, and returns the writes that were
	// committed, lock by lock in the order of their versions.
	Settle(ctx context.Context) ([]Write, error)
}
