package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/nearest"
	"github.com/lockbench/lockbench/internal/topology"
)

// Role names a target by what it is when the fault is injected. A host's own name ("n3", "c1") is a role, too.
type Role = topology.Role

// The roles.
const (
	// Holder is the client that holds the lock.
	Holder Role = "holder"
	// Waiter is a client, drawn, that does not hold the lock; Waiters are all of them.
	Waiter   Role = "waiter"
	Waiters  Role = "waiters"
	Leader        = topology.Leader
	Primary       = topology.Primary
	Follower      = topology.Follower
	Minority      = topology.Minority
	Majority      = topology.Majority
	Random        = topology.Random
	// AllServers and AllClients are what they say.
	AllServers      = topology.All
	AllClients Role = "clients"
	// Resource is the protected store. It can only be a peer: faults can act on its links, but not on itself.
	Resource Role = "resource"
)

// Roles lists the roles that can be a target.
func Roles() []Role {
	return []Role{Holder, Waiter, Waiters, Leader, Primary, Follower, Minority, Majority, Random, AllServers, AllClients}
}

// Direction says which of the target's traffic a network fault hits.
type Direction string

// The directions.
const (
	Both Direction = "both"
	In   Direction = "in"  // what the target would receive
	Out  Direction = "out" // what the target sends
)

// Target says whom a fault hits.
type Target struct {
	Role      Role
	Direction Direction // empty: both
	// Peers are roles of the hosts on the other side of the links; empty: all.
	Peers []Role
}

// SideOf says whether the role names servers or clients. A host's name must be "n" or "c" and a number.
func SideOf(r Role) (Side, error) {
	switch r {
	case Holder, Waiter, Waiters, AllClients:
		return Clients, nil
	case Leader, Primary, Follower, Minority, Majority, Random, AllServers:
		return Servers, nil
	}
	if len(r) > 1 && strings.Trim(string(r[1:]), "0123456789") == "" {
		switch r[0] {
		case 'n':
			return Servers, nil
		case 'c':
			return Clients, nil
		}
	}
	var names []string
	for _, known := range Roles() {
		names = append(names, string(known))
	}
	return "", fmt.Errorf("%s; or a server's or a client's name (n1, c1)", nearest.Unknown("target", string(r), names))
}

// Meaningful returns an error that Is ErrNoMeaning if the target or its peers can never be filled in c.
func (t Target) Meaningful(c Cluster) error {
	if err := meaningful(t.Role, c); err != nil {
		return err
	}
	for _, r := range t.Peers {
		if err := meaningful(r, c); r != Resource && err != nil {
			return err
		}
	}
	return nil
}

func meaningful(r Role, c Cluster) error {
	side, err := SideOf(r)
	switch {
	case err != nil:
		return err
	case side == Servers:
		return c.Topology().Check(r)
	case (r == Waiter || r == Waiters) && len(c.Clients()) < 2:
		return topology.NotApplicable("a single client has no rival")
	case !slices.Contains(Roles(), r) && !slices.Contains(c.Clients(), string(r)):
		return topology.NotApplicable("there is no client %s, only %s", r, strings.Join(c.Clients(), ", "))
	}
	return nil
}

// Resolve names the hosts that fill the target's role now, and the peers if it names any. Hosts are drawn from random
// where the role leaves a choice.
func (t Target) Resolve(ctx context.Context, c Cluster, random *rand.Rand) (hosts, peers []string, err error) {
	if err := t.Meaningful(c); err != nil {
		return nil, nil, err
	}
	if hosts, err = resolve(ctx, t.Role, c, random); err != nil {
		return nil, nil, err
	}
	for _, r := range t.Peers {
		if r == Resource {
			peers = append(peers, string(Resource))
			continue
		}
		more, err := resolve(ctx, r, c, random)
		if err != nil {
			return nil, nil, err
		}
		peers = append(peers, more...)
	}
	slices.Sort(peers)
	return hosts, slices.Compact(peers), nil
}

func resolve(ctx context.Context, r Role, c Cluster, random *rand.Rand) ([]string, error) {
	switch side, err := SideOf(r); {
	case err != nil:
		return nil, err
	case side == Servers:
		return c.Topology().Resolve(ctx, r, c.Leader, random)
	}
	switch r {
	case Holder, Waiter, Waiters:
		return clients(c, r, random)
	case AllClients:
		return slices.Clone(c.Clients()), nil
	default: // a name
		return []string{string(r)}, nil
	}
}

// clients resolves the roles that depend on who holds the lock.
func clients(c Cluster, role Role, random *rand.Rand) ([]string, error) {
	holder, err := c.Holder()
	if err != nil {
		return nil, fmt.Errorf("find the holder: %w", err)
	}
	if role == Holder {
		return []string{holder}, nil
	}
	others := slices.DeleteFunc(slices.Clone(c.Clients()), func(name string) bool { return name == holder })
	if role == Waiter {
		others = []string{others[random.IntN(len(others))]}
	}
	return others, nil
}
