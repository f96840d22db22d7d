// Package topology says what the servers of a lock are to each other: who votes, who can lead, and what can be reached
// of each. The roles of scenarios resolve from it, so that nothing asks which kind of server it is.
package topology

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Kind is what a node is to the others.
type Kind string

// The kinds.
const (
	// Single is the only node.
	Single Kind = "single"
	// Equal is one of several nodes that do not know each other. A client asks a majority of them.
	Equal Kind = "equal"
	// Voter is one of several nodes that elect a leader among them.
	Voter Kind = "voter"
)

// Leads reports whether a node of the kind can lead the others.
func (k Kind) Leads() bool { return k == Voter }

// Votes reports whether a node of the kind counts in a majority.
func (k Kind) Votes() bool { return k == Single || k == Equal || k == Voter }

// Node is one server.
type Node struct {
	// Name is "n1", "n2", … in the order in which a driver gets the addresses.
	Name string
	Kind Kind
	// Addr is where the server itself listens for clients ("ip:port"), past every link. Empty before it was started.
	Addr string
	// Endpoint says that only the address is known: there is no process, clock or peer link to act on.
	Endpoint bool
}

// Topology is the nodes of one lock's servers.
type Topology []Node

// Of returns n nodes of one kind, without addresses.
func Of(kind Kind, n int) Topology {
	t := make(Topology, n)
	for i := range t {
		t[i] = Node{Name: Name(i), Kind: kind}
	}
	return t
}

// Name is the name of the i-th node, from 0.
func Name(i int) string { return fmt.Sprintf("n%d", i+1) }

// Names are those of all nodes.
func (t Topology) Names() []string {
	names := make([]string, len(t))
	for i, n := range t {
		names[i] = n.Name
	}
	return names
}

// Leads reports whether a node can lead the others.
func (t Topology) Leads() bool {
	return slices.ContainsFunc(t, func(n Node) bool { return n.Kind.Leads() })
}

// voters are the names of the nodes that count in a majority.
func (t Topology) voters() []string {
	return slices.DeleteFunc(slices.Clone(t), func(n Node) bool { return !n.Kind.Votes() }).Names()
}

// ErrNotApplicable is wrapped by the error of what can never be done with a topology.
var ErrNotApplicable = errors.New("not applicable")

// NotApplicableError is an ErrNotApplicable with its reason.
type NotApplicableError struct{ Reason string }

// Error implements error.
func (e *NotApplicableError) Error() string { return ErrNotApplicable.Error() + ": " + e.Reason }

// Unwrap makes it an ErrNotApplicable.
func (e *NotApplicableError) Unwrap() error { return ErrNotApplicable }

// NotApplicable makes an error that says why something can never be done with a topology.
func NotApplicable(format string, args ...any) error {
	return &NotApplicableError{fmt.Sprintf(format, args...)}
}

// Role names servers by what they are at the moment. A node's own name ("n3") is a role, too.
type Role string

// The roles of servers.
const (
	// Leader is the node that leads the others; Primary is another word for it.
	Leader  Role = "leader"
	Primary Role = "primary"
	// Follower is a voter, drawn, that does not lead.
	Follower Role = "follower"
	// Minority is the largest number of voters that the others can outvote. The leader is not among them.
	Minority Role = "minority"
	// Majority is the smallest number of voters that can outvote the others, the leader among them. A single
	// server is a majority.
	Majority Role = "majority"
	// Random is a node, drawn.
	Random Role = "random"
	// All is every node.
	All Role = "all"
)

// Check returns an error that Is ErrNotApplicable if no node can ever fill the role.
func (t Topology) Check(r Role) error {
	voters := len(t.voters())
	switch r {
	case Leader, Primary, Follower:
		if !t.Leads() {
			return NotApplicable("nobody can be the %s: no server leads the others", r)
		}
		if r == Follower && voters < 2 {
			return NotApplicable("a single server has no follower")
		}
	case Minority:
		if voters < 3 {
			have := "server has"
			if voters == 2 {
				have = "servers have"
			}
			return NotApplicable("%d %s no minority", voters, have)
		}
	case Majority, Random, All:
	default:
		if names := t.Names(); !slices.Contains(names, string(r)) {
			return NotApplicable("there is no server %s, only %s", r, strings.Join(names, ", "))
		}
	}
	return nil
}

// Resolve names the nodes that fill the role now. leader names the node that leads now; it is asked only if one can.
// Nodes are drawn from random where the role leaves a choice.
func (t Topology) Resolve(ctx context.Context, r Role, leader func(context.Context) (string, error), random *rand.Rand) ([]string, error) {
	if err := t.Check(r); err != nil {
		return nil, err
	}
	switch r {
	case Leader, Primary:
		name, err := leader(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the %s: %w", r, err)
		}
		return []string{name}, nil
	case Follower, Minority, Majority:
		return t.draw(ctx, r, leader, random)
	case Random:
		return []string{t[random.IntN(len(t))].Name}, nil
	case All:
		return t.Names(), nil
	default: // a name
		return []string{string(r)}, nil
	}
}

// draw draws a follower, a minority or a majority of the voters. The leader, where there is one, is in the majority.
func (t Topology) draw(ctx context.Context, r Role, leader func(context.Context) (string, error), random *rand.Rand) ([]string, error) {
	voters := t.voters()
	random.Shuffle(len(voters), func(i, j int) { voters[i], voters[j] = voters[j], voters[i] })
	if t.Leads() {
		name, err := leader(ctx)
		if err != nil {
			return nil, fmt.Errorf("find the leader: %w", err)
		}
		i := slices.Index(voters, name)
		if i < 0 {
			return nil, fmt.Errorf("find the leader: %s leads and does not vote", name)
		}
		voters[0], voters[i] = voters[i], voters[0]
	}
	majority := len(voters)/2 + 1
	picked := voters[:majority]
	switch r {
	case Minority:
		picked = voters[majority:]
	case Follower:
		picked = voters[1:2]
	}
	slices.Sort(picked)
	return picked, nil
}
