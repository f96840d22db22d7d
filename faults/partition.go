package faults

import (
	"context"
	"sync"
	"time"

	"github.com/lockbench/lockbench/faults/links"
)

// Partition cuts the target off. A client is cut off from every server, but not from the resource: what it does there
// is what the lock must prevent. Servers are cut off from the clients and from the servers that are not targets.
// Bytes are held and not dropped, and are delivered when the partition heals, as TCP does across a cut cable.
type Partition struct{}

// Info implements Fault.
func (Partition) Info() Info {
	return Info{
		Name: "partition", Targets: AnyHost, Traits: []Trait{CutsOff}, Needs: "links",
		Summary: "cuts the target from its servers or clients and peers; what was held back arrives late",
		Settings: []Setting{{
			Name: "dead-peer", Kind: Duration,
			Text: "after how long in the cut a server that was dialled drops the connection; its caller learns of it at the heal; else never",
		}},
	}
}

// Available implements Fault.
func (p Partition) Available(c Cluster, in Injection) error { return needLinks(c, in) }

// Inject implements Fault.
func (p Partition) Inject(_ context.Context, c Cluster, in Injection) (func(context.Context) error, error) {
	if err := p.Available(c, in); err != nil {
		return nil, err
	}
	flows := in.flows(c)
	heal, err := c.Links().Cut(flows...)
	if err != nil {
		return nil, err
	}
	deadPeer := in.Settings.Duration("dead-peer")
	if deadPeer == 0 {
		return healed(heal), nil
	}
	return dropDeadPeers(c.Links(), flows, deadPeer, heal), nil
}

// dropDeadPeers lets servers drop the connections of silent peers once the cut has lasted that long. No server would
// notice by itself, because a link answers keep-alives. The caller learns of the reset at the heal or, if it can
// still hear the server, at once.
func dropDeadPeers(l *links.Links, flows []links.Flow, after time.Duration, heal func()) func(context.Context) error {
	done := make(chan struct{})
	var err error
	timer := time.AfterFunc(after, func() {
		defer close(done)
		err = l.DropConnections(flows...)
	})
	undo := sync.OnceFunc(func() {
		if !timer.Stop() {
			<-done
		}
		heal()
	})
	return func(context.Context) error { undo(); return err }
}
