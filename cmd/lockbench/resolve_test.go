package main

import (
	"slices"
	"testing"

	"github.com/lockbench/lockbench/scenarios"
)

func TestRenewal(t *testing.T) {
	picked, err := pick([]string{"redis-setnx", "etcd", "postgres-advisory+xact"})
	if err != nil {
		t.Fatal(err)
	}
	for renewal, want := range map[scenarios.Toggle][]string{
		"":             {"redis-setnx", "etcd", "postgres-advisory+xact"},
		scenarios.Off:  {"redis-setnx", "etcd", "postgres-advisory+xact"},
		scenarios.On:   {"redis-setnx+renew", "etcd", "postgres-advisory+xact"},
		scenarios.Both: {"redis-setnx", "redis-setnx+renew", "etcd", "postgres-advisory+xact"},
	} {
		if got := names(withRenewal(picked, renewal)); !slices.Equal(got, want) {
			t.Errorf("renewal %q: %v, want %v", renewal, got, want)
		}
	}
}
