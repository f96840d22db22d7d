// Package links puts a proxy on each connection between two hosts. Faults cut, slow, swallow and reset what passes
// there.
package links

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Flow is everything that travels from one host to another, on whatever connection. Hosts are nodes ("n1"),
// clients ("c1") and the resource ("resource").
type Flow struct{ From, To string }

// Links are the links of one cluster and its clients, each pair with its own. Safe for concurrent use.
type Links struct {
	server *toxiproxy.ApiServer

	mu    sync.Mutex
	links []*link
	gates map[Flow]*gate
}

// New makes an empty set. Close closes its links.
func New() *Links {
	return &Links{
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		gates:  map[Flow]*gate{},
	}
}

// Open makes the link by which host from dials host to: it listens at listen ("ip:port"; port 0 picks a free
// one), forwards to upstream, and returns where it listens. A pair may have several links.
func (l *Links) Open(from, to, listen, upstream string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := from + "→" + to
	link, err := openLink(l.server, name, listen, upstream, l.gate(Flow{from, to}), l.gate(Flow{to, from}))
	if err != nil {
		return "", err
	}
	l.links = append(l.links, link)
	return link.proxy.Listen, nil
}

func (l *Links) gate(f Flow) *gate {
	g, ok := l.gates[f]
	if !ok {
		g = newGate()
		l.gates[f] = g
	}
	return g
}

// Has reports whether any link carries the flow. Servers that are equals (Redis masters) have no links between them.
func (l *Links) Has(f Flow) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.gates[f]
	return ok
}

// Cut holds back the given flows: when it returns, not a byte of them passes, no connection is made and
// none is seen to end. heal delivers what was held back; it is idempotent and heals no other cut of the same flow.
func (l *Links) Cut(flows ...Flow) (heal func(), err error) {
	gates, err := l.find("cut", flows)
	if err != nil {
		return nil, err
	}
	return cutAll(gates), nil
}

// find returns the gates of flows, each once; to is what is to be done to them.
func (l *Links) find(to string, flows []Flow) ([]*gate, error) {
	if len(flows) == 0 {
		return nil, fmt.Errorf("%s: there is no link between the target and its peers", to)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var gates []*gate
	for _, f := range flows {
		g, ok := l.gates[f]
		if !ok {
			return nil, fmt.Errorf("%s %s→%s: no such link", to, f.From, f.To)
		}
		if !slices.Contains(gates, g) {
			gates = append(gates, g)
		}
	}
	return gates, nil
}

func cutAll(gates []*gate) (heal func()) {
	for _, g := range gates {
		g.cut()
	}
	return sync.OnceFunc(func() {
		for _, g := range gates {
			g.heal()
		}
	})
}

// Swallow loses what is sent in the flows from when it returns until heal. No connection is made meanwhile. heal
// resets the connections that lost something; it is idempotent.
func (l *Links) Swallow(flows ...Flow) (heal func(), err error) {
	gates, err := l.find("swallow", flows)
	if err != nil {
		return nil, err
	}
	for _, g := range gates {
		g.swallow()
	}
	return sync.OnceFunc(func() {
		var all []map[*outlet]struct{}
		for _, g := range gates {
			all = append(all, g.fill())
		}
		for _, lossy := range all {
			for o := range lossy {
				o.broken()
			}
		}
	}), nil
}

// Reset ends all connections that carry one of the flows, and until heal every new one. The receivers of the flows
// see a reset at once. If only one direction of a connection is among the flows, the receiver of the other one hears
// nothing until heal, and is reset then. heal is idempotent.
func (l *Links) Reset(flows ...Flow) (heal func(), err error) {
	var quiet []Flow
	for _, f := range flows {
		if back := (Flow{f.To, f.From}); !slices.Contains(flows, back) {
			quiet = append(quiet, back)
		}
	}
	hit, err := l.find("reset", flows)
	if err != nil {
		return nil, err
	}
	var silent []*gate
	if len(quiet) > 0 {
		if silent, err = l.find("reset", quiet); err != nil {
			return nil, err
		}
	}
	heard := cutAll(silent)
	for _, g := range hit {
		g.reset(+1)
	}
	for _, c := range l.carrying(hit) {
		c.reset()
	}
	return sync.OnceFunc(func() {
		for _, g := range hit {
			g.reset(-1)
		}
		heard()
	}), nil
}

// carrying lists the connections that carry one of the flows, or will once they are made.
func (l *Links) carrying(flows []*gate) (conns []*conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, link := range l.links {
		if link.carries(flows) {
			conns = append(conns, link.connections()...)
		}
	}
	return conns
}

// DropConnections lets every host that was dialled drop its connections that carry one of the flows, as a server does
// that finds its peer dead. The caller sees a reset as soon as it can hear of it.
func (l *Links) DropConnections(flows ...Flow) error {
	gates, err := l.find("drop connections", flows)
	if err != nil {
		return err
	}
	for _, c := range l.carrying(gates) {
		c.dropByServer()
	}
	return nil
}

// Slow shapes the flows, on connections that are there and on later ones. heal delivers at once what the shape still
// holds back; it is idempotent.
func (l *Links) Slow(s Shape, flows ...Flow) (heal func(), err error) {
	gates, err := l.find("slow", flows)
	if err != nil {
		return nil, err
	}
	var ends []func()
	for _, g := range gates {
		ends = append(ends, g.shaper.add(s))
	}
	return sync.OnceFunc(func() {
		for _, end := range ends {
			end()
		}
	}), nil
}

// Left lists the flows on which a fault is still in force, in the order of their names.
func (l *Links) Left() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []string
	for f, g := range l.gates {
		if g.blocked() || g.resetting() || g.shaper.slows() {
			left = append(left, f.From+"→"+f.To)
		}
	}
	slices.Sort(left)
	return left
}

// CloseHost closes every link that host dials, with its connections; the host is not coming back.
func (l *Links) CloseHost(host string) error {
	l.mu.Lock()
	var mine, rest []*link
	for _, link := range l.links {
		if strings.HasPrefix(link.proxy.Name, host+"→") {
			mine = append(mine, link)
		} else {
			rest = append(rest, link)
		}
	}
	l.links = rest
	l.mu.Unlock()
	return closeAll(mine)
}

// Close closes every link.
func (l *Links) Close() error {
	l.mu.Lock()
	links := l.links
	l.links = nil
	l.mu.Unlock()
	return closeAll(links)
}

func closeAll(links []*link) error {
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	for i, link := range links {
		wg.Go(func() { errs[i] = link.close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
