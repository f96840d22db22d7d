package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/scenarios"
)

// TestErrorsNameTheFlag: what a flag brings about names the flag and no line of a file; what the file has wrong by
// itself keeps its line.
func TestErrorsNameTheFlag(t *testing.T) {
	mine := filepath.Join(t.TempDir(), "mine.yaml")
	const text = `name: mine
summary: It shows.
workload: {clients: 3, workers: 1, locks: 1, ttl: 1s, hold: 10ms..2ttl, acquire-timeout: 1s, fencing: unfenced, lost: heeding}
drivers: [redis-setnx]
phases:
  - {name: cut, for: 1s, holder: c3, workload: {clients: 2}, faults: [{name: pause, target: holder}]}
`
	peers := filepath.Join(filepath.Dir(mine), "peers.yaml")
	of := strings.NewReplacer("target: holder", "target: follower", "drivers: [redis-setnx]", "drivers: [etcd]", "ttl: 1s", "ttl: 3s")
	must.Succeed(t, os.WriteFile(mine, []byte(text), 0o600))
	must.Succeed(t, os.WriteFile(peers, []byte(of.Replace(text)), 0o600))
	for _, tt := range []struct {
		flags Flags
		given string
		want  string
	}{
		{Flags{TTL: 10 * time.Millisecond}, "ttl", "--ttl: 10ms is not between 100ms and 1h"},
		{Flags{TTL: time.Second, Drivers: []string{"etcd"}}, "ttl driver", "--ttl: 1s is below the shortest that etcd honours, 2s"},
		{Flags{Scenario: mine, Drivers: []string{"etcd"}}, "driver", "--driver etcd: $.workload.ttl: 1s is below the shortest that etcd honours, 2s"},
		{Flags{Clients: 1, Workers: 1}, "clients workers", "--workers: it takes two workers"},
		{Flags{Scenario: mine, Clients: 1}, "clients", "--clients 1: $.workload.workers: it takes two workers"},
		{Flags{Scenario: mine, Clients: 2}, "clients", `--clients 2: $.phases[0].holder: unknown client "c3", did you mean "c1"?; there are: c1, c2`},
		{Flags{Scenario: mine, Clients: 2, Workers: 5}, "clients workers", `--clients 2: $.phases[0].holder: unknown client "c3"`},
		{Flags{Scenario: mine, Hold: "500ms..0.2ttl"}, "hold", "--hold: 500ms..0.2ttl is a range that ends before it begins under a TTL of 1s"},
		{Flags{Scenario: mine, Hold: "500ms..0.6ttl", TTL: 500 * time.Millisecond}, "hold ttl", "--hold: 500ms..0.6ttl is a range"},
		{Flags{Scenario: "deadlock", Resource: "in-transaction"}, "resource", "--resource: opposite-order holds two locks"},
		{Flags{Scenario: peers, Drivers: []string{"redis-setnx"}}, "driver", "--driver redis-setnx: $.phases[0].faults[0].target: redis-setnx: "},
		{Flags{Drivers: []string{"etdc"}}, "driver", `--driver: unknown driver "etdc", did you mean "etcd"?`},
		{Flags{Sweep: "$.workload.ttl=1ns,2s"}, "sweep", "--sweep: with 1ns: $.workload.ttl: 1ns is not between"},
		{Flags{Sweep: "$.workload.ttl=3s,1s"}, "sweep", "partition with $.workload.ttl = 1s: --sweep: $.workload.ttl: 1s is below the shortest that etcd honours, 2s"},
		{Flags{Sweep: "$.workload.nothing=1s"}, "sweep", "--sweep: partition.yaml has no $.workload.nothing"},
	} {
		f := tt.flags
		if f.Scenario == "" {
			f.Scenario = "partition"
		}
		given := strings.Fields(tt.given)
		f.Changed = func(name string) bool { return slices.Contains(given, name) }
		_, err := Catalog{Drivers: all.Drivers(), Check: CheckScenario}.Resolve(f)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), ".yaml:") {
			t.Errorf("%+v: %v, want %q and no line of a file", tt.flags, err, tt.want)
		}
	}
	// The file's own mistakes have their line, whatever flags there are.
	bad := strings.Replace(text, "pause", "puase", 1)
	must.Succeed(t, os.WriteFile(mine, []byte(bad), 0o600))
	f := Flags{Scenario: mine, TTL: time.Second, Clients: 2, Changed: func(name string) bool { return name == "ttl" || name == "clients" }}
	_, err := Catalog{Drivers: all.Drivers(), Check: CheckScenario}.Resolve(f)
	if err == nil || !strings.Contains(err.Error(), `mine.yaml:6:78: $.phases[0].faults[0].name: unknown fault "puase"`) ||
		!strings.Contains(err.Error(), "--clients 2: $.phases[0].holder") {
		t.Errorf("%v", err)
	}
}

// TestNoFlagPointsIntoAShippedScenario gives every flag its extremes.
func TestNoFlagPointsIntoAShippedScenario(t *testing.T) {
	var refused int
	shipped, err := scenarios.All()
	must.Succeed(t, err)
	c := Catalog{Drivers: all.Drivers(), Check: CheckScenario}
	for _, s := range shipped {
		for _, driver := range []string{"", "redis-setnx", "etcd"} {
			for name, f := range map[string]Flags{
				"ttl":         {TTL: 100 * time.Millisecond},
				"ttl ":        {TTL: time.Hour},
				"ttl  ":       {TTL: time.Nanosecond},
				"clients":     {Clients: 1},
				"clients ":    {Clients: 0},
				"clients  ":   {Clients: 2},
				"workers":     {Workers: 1},
				"workers ":    {Workers: -1},
				"hold":        {Hold: "1s..0.1ttl"},
				"rate":        {Rate: 1e9},
				"duration":    {Duration: time.Nanosecond},
				"resource":    {Resource: "in-transaction"},
				"fencing":     {Fencing: "fenced"},
				"ttl clients": {TTL: time.Millisecond, Clients: 1},
			} {
				given := strings.Fields(name)
				if driver != "" {
					given, f.Drivers = append(given, "driver"), []string{driver}
				}
				f.Changed = func(name string) bool { return slices.Contains(given, name) }
				_, err := c.run(f, s)
				if err != nil {
					refused++
				}
				if err != nil && (strings.Contains(err.Error(), ".yaml:") || !strings.Contains(err.Error(), "--")) {
					t.Errorf("%s with %q: %v", s.Name, given, err)
				}
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d were refused", refused)
	}
}
