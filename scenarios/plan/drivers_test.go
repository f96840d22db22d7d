package plan

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/scenarios"
)

func names(ds []drivers.Driver) []string { return Catalog{Drivers: ds}.names() }

func TestRenewal(t *testing.T) {
	c := Catalog{Drivers: all.Drivers()}
	picked, err := c.pick([]string{"redis-setnx", "etcd", "redis-setnx", "postgres-advisory+xact"})
	if err != nil {
		t.Fatal(err)
	}
	for renewal, want := range map[scenarios.Toggle][]string{
		"":             {"redis-setnx", "etcd", "postgres-advisory+xact"},
		scenarios.Off:  {"redis-setnx", "etcd", "postgres-advisory+xact"},
		scenarios.On:   {"redis-setnx+renew", "etcd", "postgres-advisory+xact"},
		scenarios.Both: {"redis-setnx", "redis-setnx+renew", "etcd", "postgres-advisory+xact"},
	} {
		if got := names(c.withRenewal(picked, renewal)); !slices.Equal(got, want) {
			t.Errorf("renewal %q: %v, want %v", renewal, got, want)
		}
	}
}
