package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/run/roles"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
	"github.com/lockbench/lockbench/scenarios"
)

func TestMain(m *testing.M) {
	os.Exit(testenv.Main(m, roles.Of(context.Background(), os.Stdin, os.Stdout, all.Drivers())))
}

// A short part of the record: a client that is stopped between its check and its write, with one seed. What the seed
// showed is kept, and not run again.
func TestAShardIsRecordedOnce(t *testing.T) {
	s := shards()[1]
	s.drivers, s.lost = []string{"redis-setnx", "etcd"}, scenarios.Heeding
	if _, err := (servers.Redis{}).Detect(t.Context(), local.Programs{}); err != nil {
		testenv.NeedServer(t, err)
	}
	st := store{dir: t.TempDir(), commit: "this"}
	var out strings.Builder
	for range 2 {
		must.Succeed(t, record(t.Context(), s, 1, st, &out))
	}
	if n := strings.Count(out.String(), "took"); n != 1 {
		t.Errorf("the seed was run %d times:\n%s", n, out.String())
	}
	rows, err := st.rows([]shard{s}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 { // two locks of which stale writes are recorded, two that must have none when they are fenced
		t.Errorf("%d rows: %v", len(rows), rows)
	}
	for _, r := range rows {
		if !slices.Contains(s.drivers, r.driver) {
			continue
		}
		if err := r.failure(1); err != nil {
			t.Error(err)
		}
	}
	doc := filepath.Join(t.TempDir(), "record.md")
	all := []shard{s, {name: "other"}}
	for i, ran := range []string{s.name, "other"} { // what the second run does not run stays
		must.Succeed(t, writePage(doc, all, func(name string) bool { return name == ran }, rows, 1, st.commit))
		b, err := os.ReadFile(doc)
		must, not, ok := strings.Cut(string(b), never)
		if err != nil || !ok || strings.Count(must, "| client-pause-write | etcd | heeding | stale write | 1 | 1 | this |\n") != 1 ||
			strings.Count(not, "| client-pause-write | etcd | fenced, heeding | ") != 1 {
			t.Errorf("after run %d: %v\n%s", i+1, err, b)
		}
	}
	if _, ok, err := (store{dir: st.dir, commit: "another"}).load(s.name, 1); ok || err != nil {
		t.Errorf("what another commit showed was taken for this one's: %v", err)
	}
}

// A row fails when something known is no longer found, when something is found that must not be, and when too little
// was seen.
func TestFailures(t *testing.T) {
	sh := shard{name: "s", drivers: []string{"d"}, fencing: scenarios.Unfenced, lost: scenarios.Ignoring}
	result := func(stale int, data checker.Verdict) outcome {
		return outcome{Tests: []testResult{{Driver: "d", Data: data, Counts: checker.Counts{StaleWrite: stale}}}}
	}
	found, right, unsure := result(1, checker.Invalid), result(0, checker.Valid), result(0, checker.Unknown)
	for name, tt := range map[string]struct {
		must     bool
		outcomes []outcome
		fails    bool
	}{
		"found":              {true, []outcome{found, found}, false},
		"no longer found":    {true, []outcome{found, right}, true},
		"never found":        {false, []outcome{right, right}, false},
		"found against hope": {false, []outcome{right, found}, true},
		"shows too little":   {false, []outcome{unsure, unsure}, true},
		"not all were run":   {true, []outcome{found}, true},
	} {
		var seeds []int
		for i := range tt.outcomes {
			seeds = append(seeds, i+1)
		}
		c := claim{what: "stale write", must: tt.must, fencing: scenarios.Unfenced, lost: scenarios.Ignoring, found: stale}
		if err := c.row(sh, "d", false, tt.outcomes, seeds).failure(2); (err != nil) != tt.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChoose(t *testing.T) {
	if got, err := choose([]string{"chaos"}); err != nil || len(got) != 1 || got[0].name != "chaos" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose([]string{"caos"}); err == nil {
		t.Error("an unknown shard was found")
	}
	for _, s := range shards() {
		if _, err := s.load(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		for _, name := range s.drivers {
			if !slices.ContainsFunc(all.Drivers(), func(d drivers.Driver) bool { return d.Info.Name == name }) {
				t.Errorf("%s: there is no driver %q", s.name, name)
			}
		}
	}
}
