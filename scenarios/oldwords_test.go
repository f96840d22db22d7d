package scenarios_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/scenarios"
)

// A scenario in the words of before is the same as in today's.
func TestOldWords(t *testing.T) {
	const today = `name: n
summary: s
workload: {clients: 2, workers: 1, locks: 1, ttl: 2s, hold: 1ms, think: 1ms, acquire-timeout: 1s, fencing: unfenced, lost: heeding}
phases: [{name: a, for: 1s}]
expect: [{drivers: [etcd], fencing: fenced, lost: ignoring, exclusion: any}]
`
	old := strings.NewReplacer("unfenced", "off", "fencing: fenced", "fencing: on", "lost: heeding", "heed-lost: on", "lost: ignoring", "heed-lost: off").Replace(today)
	want, err := scenarios.Parse("today.yaml", []byte(today))
	if err != nil {
		t.Fatal(err)
	}
	got, err := scenarios.Parse("old.yaml", []byte(old))
	if err != nil {
		t.Fatal(err)
	}
	if got.Workload != want.Workload || got.Outline() != want.Outline() || len(got.Expect) != 1 || got.Expect[0].Lost != scenarios.Ignoring {
		t.Errorf("got %+v, want %+v", got.Workload, want.Workload)
	}
	if _, err := scenarios.Parse("both.yaml", []byte(strings.Replace(today, "lost: heeding", "lost: heeding, heed-lost: on", 1))); err == nil {
		t.Error("both keys at once were taken")
	}
}
