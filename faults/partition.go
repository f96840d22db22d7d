package faults

import (
	"context"
	"sync"
	"time"
)

// Partition cuts the target off: a client from every server (not from the resource: what it does there is what
// the lock must prevent), servers from the clients and from the servers that are not targets. Packets are held,
// not dropped, and delivered late when the partition heals, as TCP does across a cut cable.
type Partition struct{}

// Info implements Fault.
func (Partition) Info() Info {
	return Info{
		Name: "partition", Strikes: AnyHost, Needs: "links",
		Summary: "cuts the target from its servers or clients and peers; what was held back arrives late",
		Params: []Param{{
			Name: "dead-peer",
			Text: "after how long in the cut a server that was dialled drops the connection; its caller learns of it at the heal; else never",
		}},
	}
}

// Available implements Fault.
func (p Partition) Available(c Cluster, s Strike) error { return needFlows(p, c, s) }

// Inject implements Fault.
func (p Partition) Inject(_ context.Context, c Cluster, s Strike) (func(context.Context) error, error) {
	if err := p.Available(c, s); err != nil {
		return nil, err
	}
	flows := s.flows(c)
	heal, err := c.Links().Cut(flows...)
	if err != nil {
		return nil, err
	}
	if s.Params.DeadPeer == 0 {
		return healed(heal), nil
	}
	return noticed(c.Links(), flows, s.Params.DeadPeer, heal), nil
}

// noticed lets servers find out that their peers are silent, if the cut lasts so long. A link answers keep-alives for
// whoever is cut off, so that no server would notice by itself. The end of a connection is held back from its
// caller like all else; where only the caller's flow is cut, it sees the server's reset at once.
func noticed(l *Links, flows []Flow, after time.Duration, heal func()) func(context.Context) error {
	done := make(chan struct{})
	var err error
	timer := time.AfterFunc(after, func() {
		defer close(done)
		err = l.forsake(flows)
	})
	undo := sync.OnceFunc(func() {
		if !timer.Stop() {
			<-done
		}
		heal()
	})
	return func(context.Context) error { undo(); return err }
}
