package plan

import (
	"reflect"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/scenarios"
)

// TestDocument holds that a run says what its scenario plans, with times for TTLs and the traits of its faults.
func TestDocument(t *testing.T) {
	var s scenarios.Scenario
	err := scenarios.Unmarshal("s.yaml", []byte(`
name: s
summary: It shows.
workload: {clients: 2, workers: 3, locks: 1, ttl: 2s, hold: 1.5ttl..2ttl, think: 5ms, acquire-timeout: 1s, fencing: unfenced, lost: both}
phases:
  - {name: cut, for: 1ttl, workload: {workers: 1}, faults: [{name: partition, target: holder, peers: [n1], dead-peer: 1s}, {name: clock-jump, target: all, offset: -1.5ttl}]}
`), &s)
	if err != nil {
		t.Fatal(err)
	}
	var got results.Run
	Document(s, &got)
	load := results.Workload{
		Clients: 2, Workers: 3, Locks: 1, TTL: 2 * time.Second, Hold: results.Range{Min: 3 * time.Second, Max: 4 * time.Second},
		Think: results.Range{Min: 5 * time.Millisecond, Max: 5 * time.Millisecond}, AcquireTimeout: time.Second, Fencing: "unfenced", Lost: "both",
	}
	one := load
	one.Workers = 1
	want := results.Run{Workload: load, Outline: s.Outline(), Plan: []results.PlannedPhase{{
		Name: "cut", For: 2 * time.Second, Workload: &one, Faults: []results.PlannedFault{
			{Name: "partition", Target: "holder", Peers: []string{"n1"}, Settings: map[string]string{"dead-peer": "1s"}, Traits: []string{"cuts-off"}},
			{Name: "clock-jump", Target: "all", Settings: map[string]string{"offset": "-3s"}, Traits: []string{"moves-clocks"}},
		},
	}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
