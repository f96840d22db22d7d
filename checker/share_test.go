package checker_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

func TestShare(t *testing.T) {
	// c1 gets a of the grants, c2 b of them; c3 never asks.
	grants := func(a, b int) []history.Op {
		var ops []history.Op
		at, process := int64(1), map[string]int64{"c1": 1, "c2": 2}
		n := map[string]int64{}
		add := func(client string, typ history.Type, f string) {
			ops = append(ops, history.Op{Time: at, Client: client, Process: process[client], Type: typ, F: f, Lock: "l", Grant: n[client]})
			at++
		}
		for _, c := range []struct {
			client string
			grants int
		}{{"c1", a}, {"c2", b}} {
			n[c.client]++
			add(c.client, history.Invoke, history.Acquire)
			add(c.client, history.Fail, history.Acquire) // everybody asks once in vain
			for range c.grants {
				n[c.client]++
				add(c.client, history.Invoke, history.Acquire)
				add(c.client, history.OK, history.Acquire)
				add(c.client, history.Invoke, history.Release)
				add(c.client, history.OK, history.Release)
			}
		}
		return numbered(ops)
	}
	for _, tt := range []struct {
		a, b   int
		share  float64
		want   checker.Verdict
		reason string
	}{
		{170, 10, 0.1, checker.Invalid, "c2 got 10 of 180 grants; a share of 10.0 % is needed"},
		{162, 18, 0.1, checker.Valid, ""},
		{180, 0, 0.1, checker.Invalid, "c2 got 0 of 180 grants"},
		{40, 9, 0.1, checker.Unknown, "too few to judge"},
		{170, 10, 0, checker.NotApplicable, ""},
	} {
		got, err := checker.Check(grants(tt.a, tt.b), checker.Options{Share: tt.share})
		if err != nil {
			t.Fatal(err)
		}
		if l := got.Liveness; l.Verdict != tt.want || !strings.Contains(l.Reason, tt.reason) {
			t.Errorf("%d and %d, share %v: %+v", tt.a, tt.b, tt.share, l)
		}
	}
}
