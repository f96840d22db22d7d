package checker

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// outer is the grant by which the grant's process held the lock already, or nil.
func (o *oracle) outer(x *oracleGrant) (outer *oracleGrant) {
	var own *oracleGrant
	for _, y := range o.grants {
		if y.id.Process == x.id.Process && y.lock == x.lock && y.okLine < x.okLine && x.okLine < y.endLine && y.killed >= x.ok && (own == nil || own.okLine < y.okLine) {
			own = y
		}
	}
	if own == nil {
		return nil
	}
	if outer = o.outer(own); outer == nil {
		return own
	}
	return outer
}

// TestReentrantAgainstTheDefinitions: no hold overlaps one of its own process, and a token that a process holds the
// lock by already is none that is new.
func TestReentrantAgainstTheDefinitions(t *testing.T) {
	fewer := 0
	rapid.Check(t, func(t *rapid.T) {
		ops := drawHistory(t)
		got, usual := check(t, ops, Options{Reentrant: true}).Counts, check(t, ops, Options{}).Counts
		o := newOracle(ops)
		overlap := 0
		for _, x := range o.grants {
			if slices.ContainsFunc(o.grants, func(y *oracleGrant) bool { return y.id.Process != x.id.Process && beganIn(x, y) }) {
				overlap++
			}
		}
		again := map[*oracleGrant]bool{}
		for _, x := range o.grants {
			outer := o.outer(x)
			again[x] = outer != nil && outer.token == x.token
		}
		o.grants = slices.DeleteFunc(o.grants, func(x *oracleGrant) bool { return again[x] })
		for _, x := range o.grants {
			o.tokens(x)
		}
		if got.Overlap != overlap || got.TokenRegression != o.counts.TokenRegression {
			t.Fatalf("%d overlaps, %d token regressions, want %d, %d\n%s", got.Overlap, got.TokenRegression, overlap, o.counts.TokenRegression, text(ops))
		}
		if overlap < usual.Overlap {
			fewer++
		}
	})
	if fewer == 0 {
		t.Error("no process took a lock again")
	}
}

// TestRequestsOfAnInnerGrantAreTheOuterOnes has a request of an inner grant that was given up before its answer. It is
// the first that the resource saw of the process, but no part of its turn.
func TestRequestsOfAnInnerGrantAreTheOuterOnes(t *testing.T) {
	const begin = `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1
		3,3 c1 0 acquire ok 2
		4,4 c1 0 read apply 2.1
		4 c1 0 abandon ok 2
		4 c1 0 read ok 2.1
		5 c2 1 acquire ok 1
		6,6,6 c2 1 read apply,ok 1.1
		7,7,7 c1 0 read apply,ok 1.1`
	const end = `
		9 c1 0 release invoke 1
		9 c2 1 release invoke 1`
	for name, tt := range map[string]struct {
		between string
		want    int
	}{
		"one after the other": {"", 0},
		"in turns":            {"\n8,8,8 c2 1 read apply,ok 1.2", 1},
	} {
		r := check(t, script(t, begin+tt.between+end), Options{Reentrant: true})
		if r.Counts.Interleaved != tt.want || r.Counts.Overlap != 1 {
			t.Errorf("%s: %+v", name, r.Counts)
		}
	}
}

// TestReentrantOfSeveralHosts: no clock is needed to see that a process holds a lock already.
func TestReentrantOfSeveralHosts(t *testing.T) {
	ops := ofHosts(script(t, `
		1,2 c1 0 acquire ok 1 token=5
		3,4 c1 0 acquire ok 2 token=5
		5,6 c1 0 release ok 2
		7,8 c1 0 release ok 1
		1,2 c2 1 acquire ok 1 token=6`))
	if r := check(t, ops, Options{Reentrant: true}); r.Counts.TokenRegression != 0 || r.Counts.Overlap != 0 {
		t.Errorf("%+v", r.Counts)
	}
	if r := check(t, ops, Options{}); r.Counts.TokenRegression != 1 {
		t.Errorf("%+v", r.Counts)
	}
}
