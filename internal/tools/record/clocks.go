package main

import "github.com/lockbench/lockbench/scenarios"

// clockShards are those in which wall clocks move: who loses locks to them, and who does not.
func clockShards() []shard {
	steady := []string{"etcd", "zookeeper", "postgres-advisory", "postgres-row"}
	lost := func(drivers ...string) claim {
		return claim{what: "overlap", must: true, drivers: drivers, fencing: scenarios.Unfenced, lost: scenarios.Ignoring, found: overlap}
	}
	kept := claim{what: "overlap", drivers: steady, fencing: scenarios.Both, lost: scenarios.Ignoring, found: overlap}
	clocks := func(name, scenario string, phases []string, drivers []string, claims ...claim) shard {
		return shard{
			name: name, scenario: scenario, phases: append(phases, "healed"), drivers: drivers,
			fencing: scenarios.Both, lost: scenarios.Ignoring, claims: claims,
		}
	}
	byServer := []string{"redis-setnx", "redis-setnx+renew", "postgres-lease", "postgres-lease+renew"}
	redlock := []string{"redis-redlock+renew"} // without renewal it could as well have been the TTL
	return []shard{
		clocks("clock-jump", "clock-jump", []string{"all-forward", "all-back", "one-forward"},
			append(append([]string{}, byServer...), steady...), lost(byServer...), kept),
		clocks("clock-jump-redlock", "clock-jump", []string{"third-of-three-forward"}, redlock, lost(redlock...)),
		clocks("clock-drift", "clock-drift", []string{"fast", "slow", "to-and-fro"},
			append(append([]string{}, byServer...), steady...), lost(byServer...), kept),
		clocks("client-clock", "client-clock", []string{"waiters-ahead", "holder-behind"},
			append([]string{"postgres-lease+client-time", "postgres-lease"}, steady...), lost("postgres-lease+client-time"), kept),
		// The sweep's last value, past the TTL: many locks at once.
		clocks("clock-sweep", "clock-sweep", []string{"clocks-apart", "clocks-apart-and-client-cut"},
			append([]string{"redis-setnx", "redis-redlock", "postgres-lease"}, steady...), lost("redis-setnx", "redis-redlock", "postgres-lease"), kept),
	}
}
