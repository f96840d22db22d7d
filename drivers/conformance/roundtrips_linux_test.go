package conformance

import (
	"testing"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/internal/roundtrips"
)

// roundTrips: an uncontended acquire waits for its servers as often as the driver says.
func (b *bench) roundTrips(t *testing.T) {
	var servers []string
	for _, n := range b.nodes {
		servers = append(servers, n.Addr)
	}
	found, err := roundtrips.Measure(t.Context(), roundtrips.Config{
		Driver: b.driver, Servers: servers, Links: b.links,
		Options: drivers.Options{TTL: long, Rand: rng.Stream(1, t.Name(), 0)}, Delay: long / 100,
	})
	if err != nil || found.N != b.driver.Info.RoundTrips {
		t.Errorf("%+v, %v; the driver declares %d", found, err, b.driver.Info.RoundTrips)
	}
}
