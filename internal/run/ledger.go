package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/checker/history/recorder"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/resource"
)

const (
	// ledgerTimeout bounds how long the servers may take to make the ledger, and to settle it.
	ledgerTimeout = 30 * time.Second
	// followEvery is how late a grant may be seen whose requests do not reach the resource.
	followEvery = 20 * time.Millisecond
)

// requestID names a request of the test.
type requestID struct{ process, grant, request int64 }

// ledger stands in for the resource where the data lives in the locks' own transactions. It follows the workers'
// streams while the test runs, and in the end writes the resource's lines of the history.
type ledger struct {
	test     *test
	settled  drivers.Ledger
	stop     context.CancelFunc
	followed chan error          // the follower's end
	invoked  map[requestID]int64 // when each request was
	reads    []history.Op        // that were answered
}

// openLedger makes the ledger, if the scenario wants one.
func (t *test) openLedger(ctx context.Context) error {
	if !t.meta.InTransaction {
		return nil
	}
	l := &ledger{
		test: t, settled: t.live.driver.Ledger(t.addrs(), t.live.options(t.run.namespace())), followed: make(chan error, 1),
		invoked: map[requestID]int64{},
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerTimeout)
	defer cancel()
	if err := l.settled.Reset(ctx); err != nil {
		return err
	}
	t.feed.Subscribe(recorder.Subscription{F: []string{history.Read, history.Write}, Workers: true, Take: l.take})
	following, stop := context.WithCancel(context.Background())
	l.stop, t.ledger = stop, l
	go func() { l.followed <- l.follow(following) }()
	return nil
}

// follow looks at what the workers recorded until ctx ends.
func (l *ledger) follow(ctx context.Context) error {
	for sleep(ctx, followEvery) == nil {
		if err := l.test.feed.Look(); err != nil {
			return err
		}
	}
	return nil
}

// take takes in what the workers recorded, and tells whoever waits for grants.
func (l *ledger) take(_ string, ops []history.Op) {
	for _, op := range ops {
		switch {
		case op.Type == history.Invoke:
			l.invoked[requestID{op.Process, op.Grant, op.Request}] = op.Time
		case op.Type == history.OK && op.F == history.Read:
			l.reads = append(l.reads, op)
			l.test.resource.Notice(resource.GrantSeen{Client: op.Client, Process: op.Process, Grant: op.Grant, Lock: op.Lock, Time: op.Time})
		}
	}
}

// close settles the ledger once the clients have ended, and writes the resource's lines. A nil ledger has none.
func (l *ledger) close() error {
	if l == nil {
		return nil
	}
	l.stop()
	err := errors.Join(<-l.followed, l.test.feed.Look())
	// Also when the run is being interrupted: without it the history proves nothing.
	ctx, cancel := context.WithTimeout(context.Background(), ledgerTimeout)
	defer cancel()
	writes, settleErr := l.settled.Settle(ctx)
	if err = errors.Join(err, settleErr); err != nil {
		return err
	}
	ops, err := l.sequence(writes)
	if err != nil {
		return err
	}
	for i := range ops {
		if err := l.test.store.Append(&ops[i]); err != nil {
			return err
		}
	}
	return nil
}

// sequence puts the requests in an order that the versions prove: a read stands behind the write whose version it saw,
// and before the next. It needs a clock only to tell reads of one version apart, and items. The time of a line is the
// earliest that its order allows.
func (l *ledger) sequence(writes []drivers.Write) ([]history.Op, error) {
	items := map[string][]history.Op{}
	apply := func(op history.Op) error {
		invoked, ok := l.invoked[requestID{op.Process, op.Grant, op.Request}]
		if !ok {
			return fmt.Errorf("the ledger has a write of %s, process %d, grant %d, which no worker invoked", op.Lock, op.Process, op.Grant)
		}
		op.Type, op.Time = history.Apply, invoked
		items[op.Lock] = append(items[op.Lock], op)
		return nil
	}
	for _, w := range writes {
		if err := apply(history.Op{
			F: history.Write, Lock: w.Lock, Client: w.Client, Process: w.Process, Grant: w.Grant, Request: w.Request,
			Base: history.Some(w.Base), Version: history.Some(w.Version),
		}); err != nil {
			return nil, err
		}
	}
	for _, r := range l.reads {
		if err := apply(r); err != nil {
			return nil, err
		}
	}
	var streams [][]history.Op
	for _, ops := range items {
		slices.SortFunc(ops, func(a, b history.Op) int {
			return cmp.Or(cmp.Compare(a.Version.V, b.Version.V), cmp.Compare(b.F, a.F), cmp.Compare(a.Time, b.Time))
		})
		for i := 1; i < len(ops); i++ {
			ops[i].Time = max(ops[i].Time, ops[i-1].Time)
		}
		streams = append(streams, ops)
	}
	slices.SortFunc(streams, func(a, b []history.Op) int { return cmp.Compare(a[0].Lock, b[0].Lock) })
	all := history.Merge(streams...)
	for i := range all {
		all[i].Seq = uint64(i + 1)
	}
	return all, nil
}
