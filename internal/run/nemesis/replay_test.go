package nemesis

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/scenarios"
)

// TestSchedulesAreReadBack: whatever a scenario says survives being saved.
func TestSchedulesAreReadBack(t *testing.T) {
	shipped, err := scenarios.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shipped {
		want := Schedule{Format: 3, Seed: 1 << 53, Scenario: s, Tests: []TestSchedule{{Test: "x", Begin: time.Second, Steps: []Step{{
			Number: 1, Phase: "p", Hosts: []string{"n1"}, At: 1500 * time.Millisecond,
			Fault: scenarios.Fault{Name: "partition", Target: "holder", When: scenarios.Moment{Event: scenarios.Held}, Settings: map[string]string{"dead-peer": "1s"}},
		}}}}}
		b, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Schedule
		if err := scenarios.Unmarshal("schedule.yaml", b, &got); err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		again, err := yaml.Marshal(got)
		if err != nil || string(again) != string(b) || !reflect.DeepEqual(got.Tests, want.Tests) || got.Scenario.Workload != s.Workload {
			t.Errorf("%s: %v, read back:\n%s\nsaved:\n%s", s.Name, err, again, b)
		}
	}
}

// savedNow is the same as saved, in today's format and without the scenario's faults.
const savedNow = `format: 3
seed: 5
scenario:
  name: short
  summary: It shows.
  workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 1ms, think: 5ms, acquire-timeout: 1s, fencing: unfenced, lost: heeding}
  phases:
    - {name: cut, for: 1s, faults: [{name: pause, target: all}]}
tests:
  - test: etcd.unfenced.heeding
    begin: 1s
    steps:
      - {step: 1, phase: cut, fault: {name: pause, target: random}, hosts: [n3], at: 1.5s, healed: 2s}
      - {phase: cut, fault: {name: partition, target: holder, peers: [n1, resource]}, hosts: [c2], peers: [n1, resource], holder: c2}
  - test: redis-setnx.unfenced.heeding
    steps: []
`

// saved is the schedule of a short run, in format 1.
const saved = `seed: 5
scenario:
  name: short
  summary: It shows.
  workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 1ms, think: 5ms, acquire-timeout: 1s, fencing: off, heed-lost: on}
  phases:
    - {name: cut, for: 1s, faults: [{name: pause, target: random}, {name: partition, target: holder, peers: [n1, resource]}]}
tests:
  - test: etcd.fencing-off.heed-on
    steps:
      - {phase: cut, index: 0, fault: pause, target: random, hosts: [n3], at: 1.5s, healed: 2s}
      - {phase: cut, index: 1, fault: partition, target: holder, hosts: [c2], peers: [n1, resource], holder: c2, at: 1.6s}
  - test: redis-setnx.fencing-off.heed-on
    steps: []
`

func TestLoadSchedule(t *testing.T) {
	file := filepath.Join(t.TempDir(), "schedule.yaml")
	load := func(text string) (Schedule, []string, error) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, ds, err := LoadSchedule(file, all.Drivers())
		var names []string
		for _, d := range ds {
			names = append(names, d.Info.Name)
		}
		return s, names, err
	}
	s, names, err := load(saved)
	if err != nil || s.Seed != 5 || strings.Join(names, " ") != "etcd redis-setnx" || s.Tests[0].Steps[1].Holder != "c2" {
		t.Fatalf("%v, drivers %v, %+v", err, names, s)
	}
	now, names, err := load(savedNow)
	if err != nil || strings.Join(names, " ") != "etcd redis-setnx" {
		t.Fatalf("%v, drivers %v", err, names)
	}
	first := &now.Tests[0].Steps[0]
	if now.Tests[0].Begin != time.Second || first.At != 1500*time.Millisecond || first.Healed != 2*time.Second {
		t.Errorf("the times are %+v", now.Tests[0])
	}
	now.Tests[0].Begin, first.Number, first.At, first.Healed = 0, 0, 0, 0
	if !reflect.DeepEqual(now.Tests, s.Tests) {
		t.Errorf("format 3 has %+v, format 1 %+v", now.Tests, s.Tests)
	}
	// Format 2 knew no begin of a test, its times counted from there, and it had other words.
	before, _, err := load(strings.NewReplacer("format: 3", "format: 2", "    begin: 1s\n", "",
		"fencing: unfenced, lost: heeding", "fencing: off, heed-lost: on", ".unfenced.heeding", ".fencing-off.heed-on").Replace(savedNow))
	if err != nil {
		t.Fatal(err)
	}
	before.Tests[0].Steps[0].Number = 0
	if before.Format != 3 || !reflect.DeepEqual(before.Tests, s.Tests) || before.Scenario.Workload != now.Scenario.Workload {
		t.Errorf("format 2 has %+v, format 1 %+v", before, s)
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"unknown fault", "name: pause, target: random", "name: puase, target: random", `step 1 of test etcd.unfenced.heeding: its fault.name: unknown fault "puase"`},
		{"unknown setting", "target: random}", "target: random, dead-pear: 1s}", "its fault.dead-pear: "},
		{"newer format", "format: 3", "format: 4", "has format 4; this lockbench reads formats 1 to 3"},
		{"format 2's key", "lost: heeding", "heed-lost: on", `unknown key "heed-lost"`},
		{"format 1's key", "step: 1", "index: 1", `unknown key "index"`},
		{"unknown phase", "step: 1, phase: cut", "phase: gone", `no phase "gone"`},
	} {
		_, _, err := load(strings.Replace(savedNow, tt.from, tt.to, 1))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("format 3, %s: %v, want one line with %q", tt.name, err, tt.want)
		}
	}
	for _, tt := range []struct{ name, from, to, want string }{
		{"index too high", "index: 1", "index: 2", "step 2 of test etcd.unfenced.heeding: phase cut has 2 faults, and no index 2"},
		{"index below 0", "index: 0", "index: -1", "no index -1"},
		{"another fault's index", "index: 1", "index: 0", "is pause of the random, and not partition of the holder"},
		{"unknown phase", "phase: cut, index: 1", "phase: gone, index: 1", `no phase "gone"`},
		{"unknown server", "hosts: [n3]", "hosts: [n4]", `unknown host "n4"`},
		{"unknown client", "hosts: [c2]", "hosts: [c3]", `unknown host "c3"`},
		{"unknown peer", "peers: [n1, resource], holder", "peers: [n7], holder", `unknown peer "n7"`},
		{"unknown holder", "holder: c2", "holder: n1", `unknown holder "n1"`},
		{"no hosts", "hosts: [n3]", "hosts: []", "no hosts"},
		{"unknown test", "test: etcd.", "test: etdc.", `test "etdc.unfenced.heeding" is none`},
		{"no tests", saved[strings.Index(saved, "tests:"):], "", "no tests"},
		{"unknown key", "index: 1", "indx: 1", `unknown key "indx", did you mean "index"?`},
		{"bad time", "at: 1.5s", "at: soon", `it is "soon"; a duration`},
		{"bad seed", "seed: 5", "seed: -5", "a whole number is expected"},
		{"bad scenario", "clients: 2", "clients: 0", "its scenario: $.workload.clients"},
		{"unknown fault", "name: pause", "name: puase", "is puase of the random, and not pause"},
		{"torn", saved[strings.Index(saved, "hosts: [c2"):], "hosts: [c2", "schedule.yaml:"},
		{"nothing", saved, "", "schedule.yaml:1:1: it is empty"},
		{"a scenario", saved, "name: x\n", `unknown key "name"`},
	} {
		_, _, err := load(strings.Replace(saved, tt.from, tt.to, 1))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", tt.name, err, tt.want)
		}
	}
	if _, _, err := LoadSchedule(filepath.Join(t.TempDir(), "none"), all.Drivers()); err == nil {
		t.Error("no file, no error")
	}
}
