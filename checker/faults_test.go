package checker

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// TestFaultsWithoutSteps: in a foreign history that numbers no steps, what a line says of a fault tells which one it
// is about.
func TestFaultsWithoutSteps(t *testing.T) {
	var all faults
	line := func(typ history.Type, host string) {
		all.take(&history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: "partition", Fault: &history.Fault{Hosts: []string{host}}}, &progress{})
	}
	line(history.Invoke, "c1")
	line(history.OK, "c1")
	line(history.Invoke, "c2")
	line(history.Info, "c2")
	all.finish()
	if len(all.all) != 2 || all.all[0].Uncertain || !all.all[1].Uncertain {
		t.Errorf("only the second one is not certain: %+v", all.list())
	}
}

// allFaults pairs the nemesis's lines with faults straight from the definitions, each line with all faults.
type allFaults []*fault

func (all *allFaults) take(op *history.Op, before, over int) {
	switch {
	case op.F == history.Phase:
	case op.F == history.Heal:
		all.heal(op, before)
	case op.Type == history.Invoke:
		f := &fault{Fault: Fault{Name: op.F, From: op.Time}, begin: op.Time, until: never, healed: never, attempts: -over}
		switch {
		case op.F == history.Kill:
			f.Fault.Fault = history.Fault{Step: op.StepOf(), Hosts: []string{op.Client}}
		case op.Fault != nil:
			f.Fault.Fault = *op.Fault
		}
		*all = append(*all, f)
	case op.Type == history.Fail:
		i := slices.IndexFunc(*all, func(f *fault) bool { return f.Name == op.F && f.until == never && !f.placed && isAbout(op, f) })
		if i < 0 {
			i = len(*all)
			begin := *op
			begin.Type = history.Invoke
			all.take(&begin, 0, 0)
		}
		f := (*all)[i]
		f.Missed, f.err, f.attempts = true, op.Error, 0
		f.until, f.healed = f.begin, f.begin
	default:
		for _, f := range *all {
			switch about := f.Name == op.F && f.until == never && isAbout(op, f); {
			case !about:
			case op.Type == history.Info:
				f.Uncertain, f.err = true, op.Error
			case !f.placed:
				f.placed, f.From = true, op.Time
			}
		}
	}
}

func isAbout(op *history.Op, f *fault) bool {
	switch {
	case f.Step != op.StepOf():
		return false
	case f.Name == history.Kill:
		return f.Hosts[0] == op.Client
	case f.Step != 0 || op.Fault == nil:
		return true
	}
	return f.Fault.Fault.String() == op.Fault.String()
}

func (all *allFaults) heal(op *history.Op, before int) {
	step, begins := op.StepOf(), op.Type == history.Invoke
	unhealed := slices.DeleteFunc(slices.Clone(*all), func(f *fault) bool { return f.healed != never })
	mine := slices.DeleteFunc(slices.Clone(unhealed), func(f *fault) bool { return f.Step != step || (f.until == never) != begins })
	if len(mine) == 0 && !begins {
		mine = slices.DeleteFunc(slices.Clone(unhealed), func(f *fault) bool { return f.Step != step })
	}
	if step > 0 && len(mine) > 0 {
		unhealed = mine[:1]
	}
	for _, f := range unhealed {
		if f.until == never {
			f.until = op.Time
			f.attempts += before
		}
		if op.Type == history.OK {
			f.healed = op.Time
		}
	}
}

// TestFaultsAgainstTheDefinitions has lines of few names, steps and hosts, so that many are about the same fault.
func TestFaultsAgainstTheDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got faults
		var want allFaults
		for i := range int64(rapid.IntRange(1, 40).Draw(t, "lines")) {
			op := &history.Op{
				Time: 10 + i, Client: "nemesis", Process: history.NemesisProcess,
				Type:  rapid.SampledFrom([]history.Type{history.Invoke, history.Invoke, history.OK, history.Info, history.Fail}).Draw(t, "type"),
				F:     rapid.SampledFrom([]string{"pause", "pause", "partition", history.Heal, history.Heal, history.Kill, history.Phase}).Draw(t, "f"),
				Error: rapid.SampledFrom([]string{"", "no", "never"}).Draw(t, "error"),
			}
			if rapid.Bool().Draw(t, "says") {
				op.Fault = &history.Fault{Step: rapid.IntRange(0, 2).Draw(t, "step"), Hosts: []string{rapid.SampledFrom([]string{"c1", "c2"}).Draw(t, "host")}}
			}
			if op.F == history.Kill {
				op.Client = rapid.SampledFrom([]string{"c1", "c2"}).Draw(t, "victim")
			}
			got.take(op, &progress{before: int(3 * i), over: int(2 * i)})
			want.take(op, int(3*i), int(2*i))
			healed, inForce, held := int64(0), 0, map[string]bool{}
			for _, f := range want {
				switch {
				case f.healed != never:
					healed = max(healed, f.healed)
				case f.Name == history.Kill:
					healed = max(healed, f.begin)
				default:
					inForce++
				}
				for _, host := range f.Hosts {
					held[host] = held[host] || f.healed == never || f.healed >= 10+i-5
				}
			}
			if got.healed != healed || got.inForce != inForce {
				t.Fatalf("healed at %d, %d in force; want %d, %d", got.healed, got.inForce, healed, inForce)
			}
			for _, host := range []string{"c1", "c2", "c3"} {
				if got.held(host, 10+i-5) != held[host] {
					t.Fatalf("%s is held: %v", host, !held[host])
				}
			}
		}
		got.finish()
		for i, f := range want {
			if f.until != never {
				f.To = f.until
			}
			g := got.all[i]
			if f.err != g.err || f.attempts != g.attempts || f.healed != g.healed || f.placed != g.placed {
				t.Errorf("fault %d: %+v, want %+v", i, g, f)
			}
			if all := got.list(); len(all) != len(want) || !reflect.DeepEqual(all[i], f.Fault) {
				t.Errorf("fault %d: %+v, want %+v", i, all, f.Fault)
			}
		}
	})
}
