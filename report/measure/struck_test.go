package measure

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/results"
)

// blow is one fault on a lock that c1 holds from 20 ms to 400 ms, and that c2 asks for.
type blow struct {
	name, trait  string
	fault        history.Fault
	placed       history.Type // how the injection ended
	from, to     int64        // ms: in place, and when its heal begins
	asks         int64        // ms: c2 asks; 0: nobody does
	granted      int64        // ms: c2 is granted the lock; 0: never
	sent, served int64        // ms: c1's write; 0: it never was
	outcome      history.Type
	asker        string // the client of c2's acquire, if it is another
}

// ops is the history. The lines of the resource have the times at which it served.
func (b *blow) ops() []history.Op {
	const ms = int64(time.Millisecond)
	var all []history.Op
	add := func(at int64, op history.Op) {
		if at > 0 {
			op.Time = at * ms
			all = append(all, op)
		}
	}
	nemesis := history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: history.Invoke}
	phase, fault, heal := nemesis, nemesis, nemesis
	phase.F, phase.Phase = history.Phase, "cut"
	fault.F, fault.Fault = b.name, &b.fault
	heal.F, heal.Fault = history.Heal, &b.fault
	add(1, phase)
	add(b.from-2, fault)
	fault.Type = b.placed
	add(b.from, fault)
	add(b.to, heal)
	heal.Type = history.OK
	add(b.to+1, heal)
	phase.Type = history.OK
	add(500, phase)

	c1 := history.Op{Client: "c1", Process: 1, Grant: 1, Lock: "x", F: history.Acquire, Type: history.Invoke}
	c2 := history.Op{Client: cmp.Or(b.asker, "c2"), Process: 2, Grant: 1, Lock: "x", F: history.Acquire, Type: history.Invoke}
	add(10, c1)
	add(b.asks, c2)
	c1.Type, c2.Type = history.OK, history.OK
	add(20, c1)
	if b.granted == 0 && b.asks > 0 {
		c2.Type = history.Fail
		add(450, c2)
	} else {
		add(b.granted, c2)
	}
	write := history.Op{Client: "c1", Process: 1, Grant: 1, Request: 1, Lock: "x", F: history.Write, Type: history.Invoke}
	write.Base = history.Some(0)
	add(b.sent, write)
	if b.served > 0 {
		write.Type, write.Seq = b.outcome, 1
		if write.Base = (history.Uint{}); b.outcome == history.Apply {
			write.Version = history.Some(1)
		}
		write.Client, write.Base = "c1", history.Some(0)
		add(b.served, write)
		write.Seq = 0
		if write.Type = history.OK; b.outcome == history.Reject {
			write.Type = history.Fail
		}
		add(max(b.served+1, 390), write)
	}
	c1.F, c1.Type = history.Release, history.Invoke
	add(400, c1)
	c1.Type = history.OK
	add(401, c1)
	slices.SortStableFunc(all, func(a, b history.Op) int { return int(a.Time - b.Time) })
	for i := range all {
		all[i].Index = int64(i)
	}
	return all
}

func TestStruck(t *testing.T) {
	c1, servers := history.Fault{Step: 1, Hosts: []string{"c1"}}, history.Fault{Step: 1, Hosts: []string{"n1", "n2"}}
	with := func(f history.Fault, peers ...string) history.Fault { f.Peers = peers; return f }
	deaf := c1
	deaf.Direction = "in"
	for _, tt := range []struct {
		about  string
		change func(*blow)
		want   Struck
	}{
		{"paused", func(*blow) {}, Struck{PausedHolder: true}},
		{"paused for less than the TTL", func(b *blow) { b.to = 120 }, Struck{}},
		{"paused, and nobody else asked", func(b *blow) { b.asks = 0 }, Struck{}},
		{"paused with those who asked", func(b *blow) { b.asker = "c1" }, Struck{}},
		{"paused, asked for before", func(b *blow) { b.asks = 25 }, Struck{PausedHolder: true}},
		{"not injected", func(b *blow) { b.placed = history.Fail }, Struck{}},
		{"nobody knows whether it was injected", func(b *blow) { b.placed = history.Info }, Struck{}},
		{"the rival was paused", func(b *blow) { b.fault.Hosts = []string{"c2"} }, Struck{}},
		{"paused before it held", func(b *blow) { b.from, b.to = 5, 200 }, Struck{}},
		{"a pause by another name", func(b *blow) { b.name = "freeze" }, Struck{PausedHolder: true}},
		{"a fault without a trait", func(b *blow) { b.trait = "" }, Struck{}},
		{"cut off", func(b *blow) { b.trait = cutsOff }, Struck{CutHolder: true}},
		{"cut off from each server", func(b *blow) { b.trait, b.fault = cutsOff, with(c1, "n1", "n2") }, Struck{CutHolder: true}},
		{"cut off from one server", func(b *blow) { b.trait, b.fault = cutsOff, with(c1, "n1") }, Struck{}},
		{"cut off from the resource", func(b *blow) { b.trait, b.fault = cutsOff, with(c1, "resource") }, Struck{}},
		{"cut off one way", func(b *blow) { b.trait, b.fault = cutsOff, deaf }, Struck{}},
		{"servers cut off", func(b *blow) { b.trait, b.fault = cutsOff, servers }, Struck{CutServers: true}},
		{"servers cut off briefly", func(b *blow) { b.trait, b.fault, b.to = cutsOff, servers, 120 }, Struck{}},
		{"servers paused", func(b *blow) { b.fault = servers }, Struck{}},
		{"a write in time", func(b *blow) { b.trait, b.sent, b.served, b.outcome = "", 100, 101, history.Apply }, Struck{}},
		{"a write before the rival's grant", func(b *blow) {
			b.trait, b.sent, b.served, b.outcome, b.granted = "", 100, 101, history.Apply, 420
		}, Struck{}},
		{"a late write", func(b *blow) {
			b.trait, b.sent, b.served, b.outcome, b.granted = "", 100, 300, history.Apply, 200
		}, Struck{LateWrite: true}},
		{"a late write, after the hold", func(b *blow) {
			b.trait, b.sent, b.served, b.outcome, b.granted = "", 100, 430, history.Apply, 420
		}, Struck{LateWrite: true}},
		{"a late write refused", func(b *blow) {
			b.trait, b.sent, b.served, b.outcome, b.granted = "", 100, 300, history.Reject, 200
		}, Struck{LateWrite: true, RefusedWrite: true}},
		{"sent after the rival's grant", func(b *blow) {
			b.trait, b.sent, b.served, b.outcome, b.granted = "", 250, 300, history.Reject, 200
		}, Struck{RefusedWrite: true}},
		{"killed while it wrote", func(b *blow) { b.trait, b.sent = kills, 50 }, Struck{WroteUnderFault: true}},
		{"wrote afterwards", func(b *blow) { b.trait, b.sent = kills, 120 }, Struck{WroteUnderFault: true}},
		{"its lock taken at the servers", func(b *blow) { b.trait, b.fault, b.sent = takesLock, servers, 50 }, Struck{WroteUnderFault: true}},
		{"servers killed", func(b *blow) { b.trait, b.fault, b.sent = kills, servers, 50 }, Struck{}},
		{"not killed after all", func(b *blow) { b.trait, b.placed, b.sent = kills, history.Fail, 50 }, Struck{}},
	} {
		t.Run(tt.about, func(t *testing.T) {
			b := blow{name: "pause", trait: pauses, fault: c1, placed: history.OK, from: 70, to: 200, asks: 90, outcome: history.Apply}
			tt.change(&b)
			run := results.Run{
				Workload: results.Workload{TTL: 100 * time.Millisecond}, Drivers: []results.Driver{{Name: "d", Nodes: 2}},
				Plan: []results.PlannedPhase{{Name: "cut", Faults: []results.PlannedFault{{Name: b.name, Traits: []string{b.trait}}}}},
			}
			test := results.Test{Name: "d.fenced", Driver: "d", Phases: []results.Phase{{Name: "cut"}}}
			m, err := Test(&run, &test, Ops(b.ops()), nil)
			if err != nil {
				t.Fatal(err)
			}
			if why := m.Contention.Reason; why != "" {
				t.Fatal(why)
			}
			if m.Struck != tt.want {
				t.Errorf("%+v, want %+v", m.Struck, tt.want)
			}
		})
	}
}
