package main

import (
	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/scenarios"
)

// shard is what is recorded in one go: one scenario, run with one seed after another on the same clusters.
type shard struct {
	name     string
	scenario string
	phases   []string // empty: all
	drivers  []string
	fencing  scenarios.Fencing
	lost     scenarios.Lost
	claims   []claim
}

// claim is something that a shard must find in nearly every seed, or in none.
type claim struct {
	what    string
	must    bool
	drivers []string // empty: all of the shard
	fencing scenarios.Fencing
	lost    scenarios.Lost
	found   func(checker.Counts) bool
}

func overlap(c checker.Counts) bool { return c.Overlap > 0 }
func stale(c checker.Counts) bool   { return c.StaleWrite > 0 }

// corrupted is what a right lock with a right fence never shows.
func corrupted(c checker.Counts) bool {
	return c.StaleWrite > 0 || c.LostUpdate > 0 || c.TokenRegression > 0 || c.BrokenFence > 0
}

// leases are the locks that end by themselves.
var leases = []string{"redis-setnx", "redis-setnx+renew", "redis-redlock", "redis-redlock+renew", "etcd", "etcd+deadline", "zookeeper"}

// shards lists everything that is recorded: what must be found, and then every scenario in which etcd and ZooKeeper
// with a fence must be found right. A wiped member of ZooKeeper is outside its fault model, and is left out.
func shards() []shard {
	never := claim{what: "stale write, lost update or token regression", found: corrupted, fencing: scenarios.Fenced, lost: scenarios.Both, drivers: []string{"etcd", "zookeeper"}}
	all := []shard{
		{
			name: "client-pause", scenario: "client-pause", phases: []string{"paused-after-grant", "healed"},
			drivers: leases, fencing: scenarios.Both, lost: scenarios.Both,
			claims: []claim{{what: "overlap", must: true, fencing: scenarios.Unfenced, lost: scenarios.Both, found: overlap}, never},
		},
		{
			name: "client-pause-write", scenario: "client-pause", phases: []string{"paused-before-write", "healed"},
			drivers: leases, fencing: scenarios.Both, lost: scenarios.Both,
			claims: []claim{{what: "stale write", must: true, fencing: scenarios.Unfenced, lost: scenarios.Both, found: stale}, never},
		},
		{
			name: "long-task", scenario: "long-task", drivers: []string{"redis-setnx", "redis-redlock", "etcd", "zookeeper"},
			fencing: scenarios.Both, lost: scenarios.Both,
			claims: []claim{
				{what: "overlap (without renewal)", must: true, drivers: []string{"redis-setnx", "redis-redlock"}, fencing: scenarios.Unfenced, lost: scenarios.Ignoring, found: overlap},
				never,
			},
		},
		{
			name: "server-amnesia", scenario: "server-amnesia",
			drivers: []string{"redis-setnx", "redis-setnx+renew", "redis-redlock", "redis-redlock+renew", "etcd"},
			fencing: scenarios.Both, lost: scenarios.Both,
			claims: []claim{
				{what: "overlap", must: true, drivers: []string{"redis-setnx", "redis-setnx+renew", "redis-redlock", "redis-redlock+renew"}, fencing: scenarios.Unfenced, lost: scenarios.Both, found: overlap},
				{what: never.what, found: corrupted, fencing: scenarios.Fenced, lost: scenarios.Both, drivers: []string{"etcd"}},
			},
		},
		{
			name: "backend-terminated", scenario: "backend-terminated", drivers: []string{"postgres-advisory", "postgres-advisory+xact"},
			fencing: scenarios.Unfenced, lost: scenarios.Both,
			claims: []claim{{what: "overlap", must: true, fencing: scenarios.Unfenced, lost: scenarios.Both, found: overlap}},
		},
	}
	all = append(all, clockShards()...)
	inside := []string{"postgres-advisory+xact", "postgres-row"}
	all = append(all, shard{
		name: "in-transaction", scenario: "in-transaction", drivers: inside, fencing: scenarios.Unfenced, lost: scenarios.Both,
		claims: []claim{{what: "stale write or lost update (the row dies with the lock)", found: corrupted, drivers: inside, fencing: scenarios.Unfenced, lost: scenarios.Both}},
	})
	for _, name := range []string{
		"baseline", "latency", "partition", "partition-peers", "slow-network", "delayed-write", "client-crash", "server-pause",
		"server-crash", "contention", "deadlock", "leader-election", "chaos",
	} {
		all = append(all, shard{
			name: name, scenario: name, drivers: never.drivers, fencing: scenarios.Fenced, lost: scenarios.Ignoring, claims: []claim{never},
		})
	}
	return all
}
