// Package faults is what lockbench breaks: one file per fault, and the links that faults act on.
package faults

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Cluster is what a fault may act on: the servers of one lock, and the clients that use it.
type Cluster interface {
	// Nodes and Clients name the hosts.
	Nodes() []string
	Clients() []string
	// Links is nil if the clients reach the servers directly.
	Links() *Links
	// Leader names the node that leads now.
	Leader(ctx context.Context) (string, error)
	// Holder names the client that holds the lock now.
	Holder() (string, error)
}

// Fault is a way to break something. It is a value: all that an injection changed is undone by its heal.
type Fault interface {
	// Name is the fault's name in scenarios and histories.
	Name() string
	// Summary says in one line what it does.
	Summary() string
	// Available returns nil, or why the fault cannot strike the target here. It changes nothing.
	Available(c Cluster, t Target) error
	// Inject strikes; hosts were resolved from t at that moment. heal undoes all of it and nothing else, and is idempotent.
	// After an error nothing is broken.
	Inject(ctx context.Context, c Cluster, t Target, hosts []string) (heal func(context.Context) error, err error)
}

// All lists the faults.
func All() []Fault { return []Fault{Partition{}} }

// Find returns the fault of that name.
func Find(name string) (Fault, error) {
	names := make([]string, 0, len(All()))
	for _, f := range All() {
		if f.Name() == name {
			return f, nil
		}
		names = append(names, f.Name())
	}
	return nil, fmt.Errorf("unknown fault %q; there are: %s", name, strings.Join(names, ", "))
}

// Role names a target by what it is at the moment the fault strikes.
type Role string

// The roles.
const (
	// Holder is the client that holds the lock.
	Holder Role = "holder"
	// Minority is the largest number of servers that the others can outvote; the leader is not among them.
	Minority Role = "minority"
	// Majority is the smallest number of servers that can outvote the others, the leader among them; a
	// single server is a majority.
	Majority Role = "majority"
)

// Roles lists the roles.
func Roles() []Role { return []Role{Holder, Minority, Majority} }

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
}

// ErrNoMeaning is wrapped by the error of a role that a cluster can never fill (a minority of one server).
var ErrNoMeaning = errors.New("not applicable")

// Meaningful returns an error that Is ErrNoMeaning if the role can never be filled in c.
func (t Target) Meaningful(c Cluster) error {
	if n := len(c.Nodes()); t.Role == Minority && n < 3 {
		return fmt.Errorf("%w: %d server has no minority", ErrNoMeaning, n)
	}
	return nil
}

// Resolve names the hosts that fill the role now. Servers are drawn from random where the role leaves a choice.
func (t Target) Resolve(ctx context.Context, c Cluster, random *rand.Rand) ([]string, error) {
	if err := t.Meaningful(c); err != nil {
		return nil, err
	}
	switch t.Role {
	case Holder:
		holder, err := c.Holder()
		if err != nil {
			return nil, fmt.Errorf("find the holder: %w", err)
		}
		return []string{holder}, nil
	case Minority, Majority:
		return voters(ctx, c, t.Role, random)
	default:
		return nil, fmt.Errorf("unknown role %q", t.Role)
	}
}

// voters draws a minority or a majority of the servers. The leader, where there is one, is in the majority.
func voters(ctx context.Context, c Cluster, role Role, random *rand.Rand) ([]string, error) {
	nodes := slices.Clone(c.Nodes())
	random.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	leader, err := c.Leader(ctx)
	switch {
	case errors.Is(err, ErrNoMeaning): // equals: any will do
	case err != nil:
		return nil, fmt.Errorf("find the leader: %w", err)
	default:
		slices.SortStableFunc(nodes, func(a, b string) int { return boolOrder(b == leader) - boolOrder(a == leader) })
	}
	majority := len(nodes)/2 + 1
	picked := nodes[:majority]
	if role == Minority {
		picked = nodes[majority:]
	}
	slices.Sort(picked)
	return picked, nil
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}
