package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/nearest"
)

// Role names a target by what it is at the moment the fault strikes. A host's own name ("n3", "c1") is a role, too.
type Role string

// The roles.
const (
	// Holder is the client that holds the lock.
	Holder Role = "holder"
	// Waiter is a client, drawn, that does not hold the lock; Waiters are all of them.
	Waiter  Role = "waiter"
	Waiters Role = "waiters"
	// Leader is the server that leads the others; Primary is another word for it.
	Leader  Role = "leader"
	Primary Role = "primary"
	// Follower is a server, drawn, that does not lead.
	Follower Role = "follower"
	// Minority is the largest number of servers that the others can outvote; the leader is not among them.
	Minority Role = "minority"
	// Majority is the smallest number of servers that can outvote the others, the leader among them; a
	// single server is a majority.
	Majority Role = "majority"
	// Random is a server, drawn.
	Random Role = "random"
	// AllServers and AllClients are what they say.
	AllServers Role = "all"
	AllClients Role = "clients"
	// Resource is the protected store. It is only ever a peer: its links can be struck, it cannot.
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

// Target says what a fault is aimed at.
type Target struct {
	Role      Role
	Direction Direction // empty: both
	// Peers are roles of the hosts on the other side of the struck links; empty: all.
	Peers []Role
}

// Side says whether the role names servers or clients. A host's name must be "n" or "c" and a number.
func (r Role) Side() (Side, error) {
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
	if err := t.Role.meaningful(c); err != nil {
		return err
	}
	for _, r := range t.Peers {
		if err := r.meaningful(c); r != Resource && err != nil {
			return err
		}
	}
	return nil
}

func (r Role) meaningful(c Cluster) error {
	side, err := r.Side()
	if err != nil {
		return err
	}
	nodes := len(c.Nodes())
	switch {
	case r == Minority && nodes < 3:
		return fmt.Errorf("%w: %d server has no minority", ErrNoMeaning, nodes)
	case (r == Leader || r == Primary || r == Follower) && !c.Leads():
		return fmt.Errorf("%w: nobody can be the %s: no server leads the others", ErrNoMeaning, r)
	case r == Follower && nodes < 2:
		return fmt.Errorf("%w: a single server has no follower", ErrNoMeaning)
	case (r == Waiter || r == Waiters) && len(c.Clients()) < 2:
		return fmt.Errorf("%w: a single client has no rival", ErrNoMeaning)
	case slices.Contains(Roles(), r):
		return nil
	case side == Servers && !slices.Contains(c.Nodes(), string(r)):
		return fmt.Errorf("%w: there is no server %s, only %s", ErrNoMeaning, r, strings.Join(c.Nodes(), ", "))
	case side == Clients && !slices.Contains(c.Clients(), string(r)):
		return fmt.Errorf("%w: there is no client %s, only %s", ErrNoMeaning, r, strings.Join(c.Clients(), ", "))
	}
	return nil
}

// Resolve names the hosts that fill the target's role now, and the peers if it names any. Hosts are drawn from random where the
// role leaves a choice.
func (t Target) Resolve(ctx context.Context, c Cluster, random *rand.Rand) (hosts, peers []string, err error) {
	if err := t.Meaningful(c); err != nil {
		return nil, nil, err
	}
	if hosts, err = t.Role.resolve(ctx, c, random); err != nil {
		return nil, nil, err
	}
	for _, r := range t.Peers {
		if r == Resource {
			peers = append(peers, string(Resource))
			continue
		}
		more, err := r.resolve(ctx, c, random)
		if err != nil {
			return nil, nil, err
		}
		peers = append(peers, more...)
	}
	slices.Sort(peers)
	return hosts, slices.Compact(peers), nil
}

func (r Role) resolve(ctx context.Context, c Cluster, random *rand.Rand) ([]string, error) {
	switch r {
	case Holder, Waiter, Waiters:
		return clients(c, r, random)
	case Leader, Primary:
		leader, err := c.Leader(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the %s: %w", r, err)
		}
		return []string{leader}, nil
	case Follower, Minority, Majority:
		return voters(ctx, c, r, random)
	case Random:
		return []string{c.Nodes()[random.IntN(len(c.Nodes()))]}, nil
	case AllServers:
		return slices.Clone(c.Nodes()), nil
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

// voters draws a follower, a minority or a majority of the servers. The leader, where there is one, is in the majority.
func voters(ctx context.Context, c Cluster, role Role, random *rand.Rand) ([]string, error) {
	nodes := slices.Clone(c.Nodes())
	random.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	leader, err := c.Leader(ctx)
	switch {
	case errors.Is(err, ErrNoMeaning): // equals: any will do
	case err != nil:
		return nil, fmt.Errorf("find the leader: %w", err)
	default:
		i := slices.Index(nodes, leader)
		nodes[0], nodes[i] = nodes[i], nodes[0]
	}
	majority := len(nodes)/2 + 1
	picked := nodes[:majority]
	switch role {
	case Minority:
		picked = nodes[majority:]
	case Follower:
		picked = nodes[1:2]
	}
	slices.Sort(picked)
	return picked, nil
}
