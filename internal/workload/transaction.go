package workload

import (
	"context"
	"fmt"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/resource"
)

// transact makes the request, whose invoke is recorded, in the lock's own transaction. A write takes effect only as
// the lock is given back, so its call stays open until then (see endWrite). An error proves that nothing happened:
// nobody commits what failed.
func (c *cycle) transact(ctx context.Context, req *resource.Request, line history.Op) (resp resource.Response, ok bool, err error) {
	tx, can := c.lease.(drivers.Transaction)
	if !can {
		return resp, false, fmt.Errorf("driver %s promises a ledger, but its leases are no transactions", c.client.open.Driver)
	}
	var txErr error
	if req.F == history.Read {
		resp.Version, resp.Value, txErr = tx.Read(ctx, c.lock)
	} else {
		resp.Version, txErr = tx.Write(ctx, drivers.Write{
			Lock: c.lock, Client: req.Client, Process: req.Process, Grant: req.Grant, Request: req.Request,
			Base: req.Base, Value: req.Value,
		})
	}
	line.Type, line.Time = history.OK, 0
	if txErr != nil {
		line.Type, line.Error = history.Fail, txErr.Error()
	} else {
		line.Version = history.Some(resp.Version)
	}
	if req.F == history.Write && txErr == nil {
		c.uncommitted = &line
		return resp, true, c.noticeLoss()
	}
	if _, err := c.record(line); err != nil {
		return resp, false, err
	}
	return resp, txErr == nil, c.noticeLoss()
}

// endWrite ends the write that is open in the lock's transaction, if there is one, now that it is known how the
// release ended that commits it. After an error the ledger knows, and the worker does not: even the proof that
// nothing is held any more may have followed the commit.
func (c *cycle) endWrite(released error) error {
	line := c.uncommitted
	if line == nil {
		return nil
	}
	c.uncommitted = nil
	if released != nil {
		line.Type, line.Version, line.Error = history.Info, history.Uint{}, "commit: "+released.Error()
		c.doubtful = true
	}
	_, err := c.record(*line)
	return err
}

// dropWrite ends the write that is open in a transaction that will never be committed.
func (c *cycle) dropWrite() error {
	line := c.uncommitted
	if line == nil {
		return nil
	}
	c.uncommitted = nil
	line.Type, line.Version, line.Error = history.Fail, history.Uint{}, "abandoned before its transaction was committed"
	_, err := c.record(*line)
	return err
}
