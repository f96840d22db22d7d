package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-zookeeper/zk"

	"github.com/lockbench/lockbench/drivers"
)

// root is the node below which every lock has one, with the nodes of those that want it.
const root = "/lockbench"

var (
	errLost = errors.New("the session's connection was lost")
	errGone = errors.New("its node is gone: the session has ended")
)

// Acquire implements drivers.Locker.
func (l *locker) Acquire(ctx context.Context, name string) (drivers.Lease, error) {
	fail := func(err error) error { return fmt.Errorf("ask ZooKeeper for %s: %w", name, err) }
	if isClosed(l.lost) {
		return nil, fail(errLost)
	}
	parent := root + "/" + l.opt.Key(name)
	path, err := l.create(ctx, parent)
	if err != nil {
		if errors.Is(err, drivers.ErrNotAcquired) {
			return nil, drivers.NotAcquired(fail(ctx.Err()))
		}
		// The node may be there, or may yet come to be; it goes with the session.
		return nil, fail(err)
	}
	token, err := l.wait(ctx, parent, path)
	if err == nil {
		return &lease{locker: l, name: name, path: path, token: token}, nil
	}
	if ctx.Err() == nil {
		return nil, fail(err) // it is the session that failed
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if derr := l.remove(bounded, path); derr != nil && !errors.Is(derr, zk.ErrNoNode) {
		return nil, fail(fmt.Errorf("%w; nobody knows whether its node was deleted: %w", err, derr))
	}
	return nil, drivers.NotAcquired(fail(err))
}

// create makes a node at the end of the queue. An error that Is drivers.ErrNotAcquired proves that there is none.
//
// The library's CreateProtectedEphemeralSequential is not used. After a lost reply it looks for its node and may make
// another one, in a new session. Here a session is over once it was disconnected, and so is its node.
func (l *locker) create(ctx context.Context, parent string) (path string, err error) {
	if err := ctx.Err(); err != nil {
		return "", drivers.NotAcquired(err) // nothing was sent
	}
	later, cancel := withGrace(ctx)
	defer cancel()
	prefix := fmt.Sprintf("%s/%016x-", parent, l.opt.Rand.Uint64())
	for {
		path, err = call(later, l, func(c *zk.Conn) (string, error) {
			return c.Create(prefix, nil, zk.FlagEphemeral|zk.FlagSequence, l.acl)
		})
		if !errors.Is(err, zk.ErrNoNode) {
			return path, err
		}
		if err := l.makeParents(ctx, parent); err != nil {
			if ctx.Err() != nil {
				return "", drivers.NotAcquired(err)
			}
			return "", err
		}
	}
}

// makeParents makes the node of the lock, and those above it.
func (l *locker) makeParents(ctx context.Context, parent string) error {
	parts := strings.Split(parent, "/") // the first is empty
	for i := 2; i <= len(parts); i++ {
		path := strings.Join(parts[:i], "/")
		_, err := call(ctx, l, func(c *zk.Conn) (string, error) {
			return c.Create(path, nil, zk.FlagPersistent, l.acl)
		})
		if err != nil && !errors.Is(err, zk.ErrNodeExists) {
			return fmt.Errorf("make %s: %w", path, err)
		}
	}
	return nil
}

// wait returns once the node at path is the lowest, with its czxid.
//
// The server that is asked may lag behind the others, but not behind the creation of the node. So it lists every
// lower node that still exists, and no lower node can appear later.
func (l *locker) wait(ctx context.Context, parent, path string) (token uint64, err error) {
	for {
		children, err := call(ctx, l, func(c *zk.Conn) ([]string, error) {
			children, _, err := c.Children(parent)
			return children, err
		})
		if err != nil {
			return 0, err
		}
		before, ok := predecessor(children, strings.TrimPrefix(path, parent+"/"))
		if !ok {
			return 0, errGone
		}
		if before == "" {
			return l.czxid(ctx, path)
		}
		if err := l.waitFor(ctx, parent+"/"+before); err != nil {
			return 0, err
		}
	}
}

// waitFor returns when the node is gone.
func (l *locker) waitFor(ctx context.Context, path string) error {
	// The recipe names Exists. That would leave a watch behind for ever if the node is already gone.
	gone, err := call(ctx, l, func(c *zk.Conn) (<-chan zk.Event, error) {
		_, _, events, err := c.GetW(path)
		return events, err
	})
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return nil
	case err != nil:
		return err
	}
	select {
	case <-gone:
		return nil
	case <-l.lost:
		return errLost
	case <-ctx.Done():
		return ctx.Err()
	}
}

// czxid returns the number of the transaction that made the node. Its reply also proves that the session still held.
func (l *locker) czxid(ctx context.Context, path string) (uint64, error) {
	stat, err := call(ctx, l, func(c *zk.Conn) (*zk.Stat, error) {
		exists, stat, err := c.Exists(path)
		if err == nil && !exists {
			return nil, errGone
		}
		return stat, err
	})
	if err != nil {
		return 0, err
	}
	if isClosed(l.lost) {
		return 0, errLost
	}
	return uint64(stat.Czxid), nil
}

// predecessor returns the child right before own, in the order of the numbers that the server appended. It is empty
// if own is the lowest. ok is false if own is missing.
func predecessor(children []string, own string) (before string, ok bool) {
	const digits = 10
	number := func(name string) string { return name[max(0, len(name)-digits):] }
	for _, c := range children {
		switch {
		case c == own:
			ok = true
		case number(c) < number(own) && (before == "" || number(c) > number(before)):
			before = c
		}
	}
	return before, ok
}

func (l *locker) remove(ctx context.Context, path string) error {
	const anyVersion = -1
	_, err := call(ctx, l, func(c *zk.Conn) (struct{}, error) { return struct{}{}, c.Delete(path, anyVersion) })
	return err
}

type lease struct {
	locker *locker
	name   string
	path   string
	token  uint64
}

// Token implements drivers.Lease.
func (g *lease) Token() (uint64, bool) { return g.token, true }

// Lost implements drivers.Lease. It stays closed even if the library gets the session back.
func (g *lease) Lost() <-chan struct{} { return g.locker.lost }

// Release implements drivers.Lease.
func (g *lease) Release(ctx context.Context) error {
	err := g.locker.remove(ctx, g.path)
	if errors.Is(err, zk.ErrNoNode) {
		return fmt.Errorf("release %s: %w: its node is gone", g.name, drivers.ErrNotHeld)
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", g.name, err)
	}
	return nil
}
