package faults

import (
	"errors"
	"fmt"
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

// NewLinks makes an empty set. Close ends it.
func NewLinks() *Links {
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

// has reports whether any link carries the flow. Equal servers (Redis masters) have no links between them.
func (l *Links) has(f Flow) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.gates[f]
	return ok
}

// Cut holds back the given flows: when it returns, not a byte of them passes, no connection is made and
// none is seen to end. heal delivers what was held back; it is idempotent and heals no other cut of the same flow.
func (l *Links) Cut(flows ...Flow) (heal func(), err error) {
	l.mu.Lock()
	gates := make([]*gate, len(flows))
	for i, f := range flows {
		g, ok := l.gates[f]
		if !ok {
			l.mu.Unlock()
			return nil, fmt.Errorf("cut %s→%s: no such link", f.From, f.To)
		}
		gates[i] = g
	}
	l.mu.Unlock()
	for _, g := range gates {
		g.cut()
	}
	return sync.OnceFunc(func() {
		for _, g := range gates {
			g.heal()
		}
	}), nil
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
