package plan

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/scenarios"
)

func TestOpenFiles(t *testing.T) {
	c := Catalog{Drivers: all.Drivers()}
	for _, tt := range []struct {
		drivers          string
		clients, workers int
		limit            uint64
		want             string
	}{
		{"redis-setnx", 2, 50, 1024, ""},   // 526 were open
		{"redis-redlock", 2, 50, 1700, ""}, // 1338
		{"etcd", 2, 50, 1500, ""},          // 1051
		{"postgres-row", 2, 50, 1100, ""},  // 726
		{"redis-setnx", 10, 100, 20000, ""},
		{"redis-redlock", 10, 100, 20000, ""},
		{"redis-redlock", 10, 200, 20000, "10 clients with 200 workers each take about 26400 open files in one process, and the limit here is 20000 (ulimit -Hn): at most 150 workers each fit"},
		{"redis-setnx,redis-redlock,etcd,zookeeper,postgres-advisory,postgres-row", 10, 100, 20000, "at most 41 workers each fit"},
		{"redis-setnx", 100, 1000, 1 << 20, ""},
		{"redis-setnx", 100, 1, 600, "take fewer clients"},
		{"redis-setnx", 1, 1000, 5400, ""},
	} {
		ds, err := c.pick(strings.Split(tt.drivers, ","))
		if err != nil {
			t.Fatal(err)
		}
		r := Run{Scenario: scenarios.Scenario{Workload: scenarios.Workload{Clients: tt.clients, Workers: tt.workers}}, Drivers: ds}
		err = r.CheckOpenFiles(tt.limit, false)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %d × %d: %v, want %q", tt.drivers, tt.clients, tt.workers, err, tt.want)
		}
	}
}

func TestServerConnections(t *testing.T) {
	s := scenarios.Scenario{Workload: scenarios.Workload{Clients: 10, Workers: 100}}
	for _, d := range all.Drivers() {
		want := map[string]int{"postgres-row": 2000, "etcd": 2000, "etcd+deadline": 2000}[d.Info.Name]
		if got := ServerConnections(s, d); got != max(want, 1000) {
			t.Errorf("%s: %d", d.Info.Name, got)
		}
	}
}
