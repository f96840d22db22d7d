package links

import "testing"

// Between the moment in which the last hole is filled and the reset of what lost bytes in it, nothing passes: the
// receiver must never read what comes behind a gap.
func TestNothingPassesBehindAGap(t *testing.T) {
	g := newGate()
	spoiled, whole := &outlet{gate: g, dead: make(chan struct{})}, &outlet{gate: g, dead: make(chan struct{})}
	g.swallow()
	if got := g.enter(spoiled); got != lost {
		t.Fatalf("passage %v of a hole", got)
	}
	if lossy := g.fill(); len(lossy) != 1 {
		t.Fatalf("%d connections lost bytes", len(lossy))
	}
	if got := g.enter(spoiled); got != lost {
		t.Errorf("passage %v behind a gap", got)
	}
	if got := g.enter(whole); got != passes {
		t.Errorf("passage %v of a connection that lost nothing", got)
	}
	g.leave(whole)
}
