package workload

import (
	"context"
	"errors"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/resource"
)

// cycle is one turn of a worker: acquire, read, hold, write what was read plus one, release. Its methods return
// an error only if the history cannot be recorded any more.
type cycle struct {
	*worker
	load     *Workload
	lock     string
	intended int64
	changed  <-chan struct{} // closed when the workload changes

	number   int64 // of the grant
	lease    drivers.Lease
	token    history.Uint
	requests int64
	// uncommitted is how the write ends that was made in the lock's transaction, if that is committed; nil: none.
	uncommitted *history.Op
	lost        bool            // the client was told, and it is recorded
	wish        int64           // the hold that was asked for when the lock was
	hold        Hold            // that this grant fulfils; its ID is 0 if it fulfils none
	resumed     <-chan struct{} // ends the hold; nil: it ends by itself
	doubtful    bool            // something ended as info: the process number is used up
}

func (c *cycle) run(ctx context.Context) error {
	granted, err := c.acquire(ctx)
	if err != nil || !granted {
		return err
	}
	if err := c.use(ctx); err != nil {
		return err
	}
	return c.finish(ctx)
}

// runAround runs the inner cycle, of another lock, while it holds its own.
func (c *cycle) runAround(ctx context.Context, inner *cycle) error {
	granted, err := c.acquire(ctx)
	if err != nil || !granted {
		return err
	}
	c.outer = c // if the session ends with the inner lock, this grant ends first
	defer func() { c.outer = nil }()
	// The wait before the second lock is what makes two workers meet.
	if err := c.wait(ctx); err != nil {
		return err
	}
	if !c.mustStop() {
		if err := inner.run(ctx); err != nil || c.outer == nil {
			return err
		}
	}
	c.outer = nil
	if !c.mustStop() {
		read, ok, err := c.request(ctx, history.Read, resource.Response{})
		if err != nil {
			return err
		}
		if ok && !c.mustStop() {
			if _, _, err := c.request(ctx, history.Write, read); err != nil {
				return err
			}
		}
	}
	return c.finish(ctx)
}

// use spends the grant: read, hold, write. The grant that was asked to last tells the coordinator of its hold: once
// it has read, for only then is it certain to come to its write; or before, if the client shall stop right after the
// grant.
func (c *cycle) use(ctx context.Context) error {
	if err := c.takeHold(true); err != nil {
		return err
	}
	read, ok, err := c.request(ctx, history.Read, resource.Response{})
	if err != nil {
		return err
	}
	if ok && !c.mustStop() {
		if err := c.spend(ctx, read); err != nil {
			return err
		}
	}
	if c.hold.ID == 0 {
		return nil
	}
	return c.client.emit(Event{Held: &Held{ID: c.hold.ID, Lost: c.lost}})
}

// spend holds the lock, and writes if it still may.
func (c *cycle) spend(ctx context.Context, read resource.Response) error {
	if err := errors.Join(c.takeHold(false), c.wait(ctx), c.noticeLoss()); err != nil || c.mustStop() {
		return err
	}
	if c.hold.Stop == BeforeWrite {
		if err := c.holding(BeforeWrite); err != nil {
			return err
		}
	}
	_, _, err := c.request(ctx, history.Write, read)
	return err
}

// finish gives the lock back, or walks away from it.
func (c *cycle) finish(ctx context.Context) error {
	if err := c.noticeLoss(); err != nil {
		return err
	}
	if !c.mustStop() {
		return c.release(ctx)
	}
	if err := c.dropWrite(); err != nil {
		return err
	}
	if _, err := c.record(c.op(history.Abandon, history.OK)); err != nil {
		return err
	}
	return c.restart()
}

// mustStop reports whether the worker may use its grant no further.
func (c *cycle) mustStop() bool { return c.doubtful || c.lost && c.load.Heeding }

func (c *cycle) op(f string, t history.Type) history.Op {
	return history.Op{Type: t, F: f, Lock: c.lock, Grant: c.number}
}

// acquire asks for the lock. A session that cannot be opened is an acquire that failed: nothing was asked for.
func (c *cycle) acquire(ctx context.Context) (granted bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.load.AcquireTimeout)
	defer cancel()
	started := c.client.clock.Now()
	c.grant++
	c.number, c.wish = c.grant, c.client.hold.wish()
	invoke := c.op(history.Acquire, history.Invoke)
	invoke.Intended = c.intended
	if err := c.session(ctx); err != nil {
		invoke.Time = started
		if _, rerr := c.record(invoke); rerr != nil {
			return false, rerr
		}
		fail := c.op(history.Acquire, history.Fail)
		fail.Error = err.Error()
		if _, rerr := c.record(fail); rerr != nil {
			return false, rerr
		}
		c.backOff(ctx)
		return false, nil
	}
	if _, err := c.record(invoke); err != nil {
		return false, err
	}
	lease, err := c.locker.Acquire(ctx, c.lock)
	switch {
	case err == nil:
		ok := c.op(history.Acquire, history.OK)
		if token, has := lease.Token(); has {
			ok.Token = history.Some(token)
		}
		c.lease, c.token = lease, ok.Token
		_, err = c.record(ok)
		return true, err
	case errors.Is(err, drivers.ErrNotAcquired):
		fail := c.op(history.Acquire, history.Fail)
		fail.Error = err.Error()
		_, err = c.record(fail)
		return false, err
	default:
		info := c.op(history.Acquire, history.Info)
		info.Error = err.Error()
		_, err = c.record(info)
		return false, errors.Join(err, c.restart())
	}
}

// backOff keeps a worker whose servers refuse connections from asking thousands of times a second.
func (c *cycle) backOff(ctx context.Context) {
	t := time.NewTimer(c.draw(20*time.Millisecond, 60*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// request reads or writes; ok: it was served. An answer that did not come is ambiguous, and the grant then asks
// for nothing more: a late write would follow its own retry.
func (c *cycle) request(ctx context.Context, f string, read resource.Response) (resp resource.Response, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.load.Timeout)
	defer cancel()
	c.requests++
	req := resource.Request{F: f, Lock: c.lock, Client: c.client.open.Client, Process: c.process, Grant: c.number, Request: c.requests}
	line := c.op(f, history.Invoke)
	line.Request = c.requests
	if c.client.open.Fenced && c.token.Set {
		req.Token, line.Token = &c.token.V, c.token
	}
	if f == history.Write {
		req.Base, req.Value = read.Version, read.Value+1
		line.Base = history.Some(read.Version)
	}
	if _, err := c.record(line); err != nil {
		return resp, false, err
	}
	if c.client.open.InTransaction {
		return c.transact(ctx, &req, line)
	}
	resp, doErr := c.resource.Do(ctx, &req)
	switch {
	case errors.Is(doErr, resource.ErrUnsent):
		line.Type, line.Error = history.Fail, doErr.Error()
	case doErr != nil:
		line.Type, line.Error = history.Info, doErr.Error()
		c.doubtful = true
	case resp.Rejected:
		line.Type, line.Error = history.Fail, "rejected by the fence"
	default:
		line.Type, ok = history.OK, true
		line.Version = history.Some(resp.Version)
	}
	line.Time = 0
	if _, err := c.record(line); err != nil {
		return resp, false, err
	}
	return resp, ok, c.noticeLoss()
}

// noticeLoss records, once, that the client was told that it may no longer assume to hold.
func (c *cycle) noticeLoss() error {
	if c.lost {
		return nil
	}
	select {
	case <-c.lease.Lost():
		c.lost = true
		_, err := c.record(c.op(history.Lost, history.OK))
		return err
	default:
		return nil
	}
}

// release gives the lock back. A session that lost a lock, or whose release is in doubt, is not used again.
func (c *cycle) release(ctx context.Context) error {
	// The lock is given back even while the client is being stopped, so that a healthy end leaves nothing in doubt.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.load.Timeout)
	defer cancel()
	if _, err := c.record(c.op(history.Release, history.Invoke)); err != nil {
		return err
	}
	line := c.op(history.Release, history.OK)
	err := c.lease.Release(ctx)
	switch {
	case errors.Is(err, drivers.ErrNotHeld):
		line.Type, line.Error = history.Fail, err.Error()
	case err != nil:
		line.Type, line.Error = history.Info, err.Error()
		c.doubtful = true
	}
	if werr := c.endWrite(err); werr != nil {
		return werr
	}
	if _, err := c.record(line); err != nil {
		return err
	}
	if err := c.noticeLoss(); err != nil { // the session may have ended with the release
		return err
	}
	if c.doubtful {
		abandon := c.op(history.Abandon, history.OK)
		if _, err := c.record(abandon); err != nil {
			return err
		}
	}
	if c.doubtful || c.lost {
		return c.restart()
	}
	return nil
}
