package checker

import (
	"fmt"

	"github.com/lockbench/lockbench/checker/history"
)

// Fault is one injection of the nemesis. Times are the history's nanoseconds.
type Fault struct {
	Name string `json:"name"`
	history.Fault
	// From is when it was in place or, if nobody knows, when it was about to be. To is when its heal began; 0: it was
	// not healed.
	From int64 `json:"from"`
	To   int64 `json:"to,omitzero"`
	// Uncertain is true if it may not have been injected.
	Uncertain bool `json:"uncertain,omitempty"`
	// Missed is true if it certainly was not injected. It lasted no time.
	Missed bool `json:"missed,omitempty"`
}

// String names the fault in a sentence.
func (f *Fault) String() string {
	if whom := f.Fault.String(); whom != "" {
		return fmt.Sprintf("%s (%s)", f.Name, whom)
	}
	return f.Name
}

// fault is an injection while the history goes on.
type fault struct {
	Fault
	// begin is when it was about to be injected, until when its heal began and healed when that was done; or never.
	begin, until, healed int64
	err                  string
	// attempts is how many acquires waited or were invoked while it lasted or, while it lasts, minus those that had ended
	// before it.
	attempts int
	placed   bool // a line said that it was in place
	// said is how many lines had said that nobody knows, of any fault, when it began. like are those that it is one of.
	said int
	like [2]*alike
}

// faults are the nemesis's faults so far.
type faults struct {
	all    []*fault
	alikes map[alikeKey]*alike
	said   int // how many lines said that nobody knows
	// inForce is how many were begun and not healed. A kill is not.
	inForce int
	hosts   map[string]*onHost
	// open are those of which no heal has begun, healing those of which none was done: in the order in which they began,
	// all and by step. Some are no longer so.
	open, healing           []*fault
	openSteps, healingSteps map[int][]*fault
	// healed is when the last one was healed, 0 if none was. A kill needs no heal: what it did is done.
	healed int64
}

// onHost is what is known of the faults on one host: how many are in force, and when the last one was healed.
type onHost struct {
	inForce int
	healed  int64
}

// alike are the faults that one line can be about: of one name and step, and of the same words if they have no step.
// Foreign histories may leave steps out: then what a line says of the fault tells, and one that says nothing is about
// all.
type alike struct {
	unplaced []*fault
	// doubted is the number of the last line that said that nobody knows, and err is what it said.
	doubted int
	err     string
}

type alikeKey struct {
	name  string
	step  int
	words string
}

// anyWords are those of a line that says nothing of the fault.
const anyWords = "\x00"

// words are what tells the faults of a name and step apart.
func words(op *history.Op) string {
	switch {
	case op.F == history.Kill:
		return op.Client
	case op.StepOf() != 0 || op.Fault == nil:
		return anyWords
	}
	return op.Fault.String()
}

// take pairs the nemesis's faults with their heals, line by line. A heal ends the fault of its step; one that
// names no step, or one that no fault has, ends all. p is what happened before the line.
func (all *faults) take(op *history.Op, p *progress) {
	switch {
	case op.F == history.Phase:
	case op.F == history.Heal:
		all.heal(op, p.before)
	case op.Type == history.Invoke:
		all.begin(op, p)
	case op.Type == history.Fail:
		all.miss(op)
	default:
		all.placed(op)
	}
}

func (all *faults) begin(op *history.Op, p *progress) {
	if all.alikes == nil {
		all.hosts = map[string]*onHost{}
		all.alikes, all.openSteps, all.healingSteps = map[alikeKey]*alike{}, map[int][]*fault{}, map[int][]*fault{}
	}
	f := &fault{Fault: Fault{Name: op.F, From: op.Time}, begin: op.Time, until: never, healed: never, attempts: -p.over}
	switch {
	case op.F == history.Kill:
		f.Fault.Fault = history.Fault{Step: op.StepOf(), Hosts: []string{op.Client}}
		all.healed = max(all.healed, op.Time)
	case op.Fault != nil:
		f.Fault.Fault = *op.Fault
	}
	f.said = all.said
	f.like[0] = all.alike(op, words(op))
	if f.like[0].unplaced = append(f.like[0].unplaced, f); op.F != history.Kill && words(op) != anyWords {
		f.like[1] = all.alike(op, anyWords)
		f.like[1].unplaced = append(f.like[1].unplaced, f)
	}
	for _, host := range f.Hosts {
		if all.hosts[host] == nil {
			all.hosts[host] = &onHost{healed: -1}
		}
		all.hosts[host].inForce++
	}
	if op.F != history.Kill {
		all.inForce++
	}
	all.all = append(all.all, f)
	all.open = append(all.open, f)
	all.openSteps[f.Step] = append(all.openSteps[f.Step], f)
}

// miss notes that a fault was not injected. Most lines of that are the fault's only ones.
func (all *faults) miss(op *history.Op) {
	var f *fault
	if a := all.alikes[alikeKey{op.F, op.StepOf(), words(op)}]; a != nil {
		for len(a.unplaced) > 0 && !a.unplaced[0].unplaced() {
			a.unplaced = a.unplaced[1:]
		}
		if len(a.unplaced) > 0 {
			f = a.unplaced[0]
		}
	}
	if f == nil {
		all.begin(op, &progress{})
		f = all.all[len(all.all)-1]
	}
	f.settle()
	f.Missed, f.err, f.attempts = true, op.Error, 0
	all.end(f, f.begin)
	f.until = f.begin
}

// unplaced reports whether no line says more of the fault than that it was about to be injected.
func (f *fault) unplaced() bool { return f.until == never && !f.placed }

// end notes that the fault was over then.
func (all *faults) end(f *fault, then int64) {
	f.healed = then
	all.healed = max(all.healed, then)
	if f.Name != history.Kill {
		all.inForce--
	}
	for _, host := range f.Hosts {
		h := all.hosts[host]
		h.inForce--
		h.healed = max(h.healed, then)
	}
}

// held reports whether a fault was in force on the host at any time since then.
func (all *faults) held(host string, since int64) bool {
	h := all.hosts[host]
	return h != nil && (h.inForce > 0 || h.healed >= since)
}

// alike are the faults that a line of these words is about.
func (all *faults) alike(op *history.Op, words string) *alike {
	key := alikeKey{op.F, op.StepOf(), words}
	a := all.alikes[key]
	if a == nil {
		a = &alike{}
		all.alikes[key] = a
	}
	return a
}

// placed notes that faults are in place, or that nobody knows.
func (all *faults) placed(op *history.Op) {
	a := all.alikes[alikeKey{op.F, op.StepOf(), words(op)}]
	switch {
	case a == nil:
	case op.Type != history.OK:
		all.said++
		a.doubted, a.err = all.said, op.Error
	default:
		for _, f := range a.unplaced {
			if f.unplaced() {
				f.placed, f.From = true, op.Time
			}
		}
		a.unplaced = a.unplaced[:0]
	}
}

// settle notes whether a line said that nobody knows of the fault. Nothing more is said of it.
func (f *fault) settle() {
	last := 0
	for _, a := range f.like {
		if a != nil && a.doubted > max(f.said, last) {
			last = a.doubted
			f.Uncertain, f.err = true, a.err
		}
	}
}

// list lists all faults.
func (all *faults) list() []Fault {
	list := make([]Fault, 0, len(all.all))
	for _, f := range all.all {
		if f.until != never {
			f.To = f.until
		}
		list = append(list, f.Fault)
	}
	return list
}

// finish says that no more lines come.
func (all *faults) finish() {
	for _, f := range all.all {
		if f.until == never {
			f.settle()
		}
	}
}

// heal notes one line of a heal.
func (all *faults) heal(op *history.Op, before int) {
	step := op.StepOf()
	var one *fault
	if step > 0 {
		one = all.healedBy(step, op.Type == history.Invoke)
	}
	if one != nil {
		all.healOne(one, op, before)
		return
	}
	for _, f := range all.open {
		if f.until == never {
			all.healOne(f, op, before)
		}
	}
	all.open = all.open[:0]
	clear(all.openSteps)
	if op.Type != history.OK {
		return
	}
	for _, f := range all.healing {
		if f.healed == never {
			all.healOne(f, op, before)
		}
	}
	all.healing = all.healing[:0]
	clear(all.healingSteps)
}

// healedBy is the fault of the step that the line of a heal is about, or nil. The end of a heal goes to the fault that
// its begin went to. A history may leave the begins of heals out.
func (all *faults) healedBy(step int, begins bool) *fault {
	if !begins {
		if f := first(all.healingSteps, step, func(f *fault) bool { return f.healed == never }); f != nil {
			return f
		}
	}
	return first(all.openSteps, step, func(f *fault) bool { return f.until == never })
}

// first is the first fault of the step that is as it should be, or nil. Those before it are dropped.
func first(steps map[int][]*fault, step int, fits func(*fault) bool) *fault {
	list := steps[step]
	for len(list) > 0 && !fits(list[0]) {
		list = list[1:]
	}
	if len(list) == 0 {
		delete(steps, step)
		return nil
	}
	steps[step] = list
	return list[0]
}

func (all *faults) healOne(f *fault, op *history.Op, before int) {
	if f.until == never {
		f.settle()
		f.until = op.Time
		f.attempts += before
		all.healing = append(all.healing, f)
		all.healingSteps[f.Step] = append(all.healingSteps[f.Step], f)
	}
	if op.Type == history.OK {
		all.end(f, op.Time)
	}
}
