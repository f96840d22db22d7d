// Package history is the record of one test: what every worker, the nemesis and the resource did, and
// when. It knows how a history is written and read (JSON Lines, see docs/history.md), and nothing of
// locks, faults or verdicts.
package history

import (
	"maps"
	"slices"
	"strings"
)

// Type says where in its life an operation is.
type Type string

// The types of a line. A worker's call is an Invoke followed by one of OK, Fail and Info; the resource
// writes Apply and Reject.
const (
	// Invoke is stamped before the call is made.
	Invoke Type = "invoke"
	// OK is stamped after the call returned with success.
	OK Type = "ok"
	// Fail means that it is proven that nothing happened, and nothing will.
	Fail Type = "fail"
	// Info means that nobody knows: the call may have happened, may yet happen, or never will.
	Info Type = "info"
	// Apply is written by the resource for every request that it served.
	Apply Type = "apply"
	// Reject is written by the resource for every request that its fence refused.
	Reject Type = "reject"
)

// The functions of a line. Any other value names a fault or a phase, and belongs to the nemesis.
const (
	Acquire = "acquire"
	Read    = "read"
	Write   = "write"
	Release = "release"
	// Lost is recorded (as OK) when a client learns that it may no longer assume that it holds.
	Lost = "lost"
	// Abandon is recorded (as OK) when a worker stops using a grant; it invokes no request of it after.
	Abandon = "abandon"
	// Kill is recorded (as Invoke) by the nemesis before a client is killed; Client of the line names the victim.
	Kill = "kill"
	// Phase is recorded by the nemesis as each phase begins (Invoke) and ends (OK, or Info if its end was a
	// time-out); Op.Phase names the phase.
	Phase = "phase"
	// Heal is recorded by the nemesis as a fault is undone; the line's Fault has the step that it undoes.
	Heal = "heal"
	// Died, Stopped, Stalled and Stepped (as OK) tell what happened without a fault of the nemesis: a process ended; it
	// was stopped by a signal, or was not run, for Op.Lasted until the line's time; its wall clock was set. Op.Fault has
	// the host and, of a clock, by how much (setting "offset").
	Died    = "died"
	Stopped = "stopped"
	Stalled = "stalled"
	Stepped = "stepped"
	// Hosts (as OK) is the first line of a history whose lines come from several hosts, which share no clock.
	Hosts = "hosts"
)

// NemesisProcess is the process number of every line that the nemesis writes.
const NemesisProcess = -1

// Uint is an unsigned number that may be absent. Zero is a number, absent is none: a fencing token may be 0.
type Uint struct {
	V   uint64
	Set bool
}

// Some is a number that is present.
func Some(v uint64) Uint { return Uint{V: v, Set: true} }

// Op is one line of a history. Which fields a line carries depends on its F and Type: docs/history.md lists them.
type Op struct {
	// Index is the line's number within the merged history, from 0.
	Index int64
	// Time is in nanoseconds on the host's monotonic clock, from an arbitrary origin that all lines share.
	Time int64
	// Client names the operating-system process that made the call ("c1"), or "nemesis".
	Client string
	// Process is the worker's number. A worker goes on under a new number after an Info; so does a restarted client.
	Process int64
	Type    Type
	F       string
	// Lock is the name of the lock, and of the item of the resource that it protects.
	Lock string
	// Grant numbers the acquires of a process, from 1; (Process, Grant) names a grant. 0: the line has none.
	Grant int64
	// Request numbers the requests to the resource within a grant, from 1. 0: the line has none.
	Request int64
	// Token is the fencing token of the grant; absent for locks that have none.
	Token Uint
	// Seq is the resource's global order of Apply and Reject lines, from 1. 0: the line has none.
	Seq uint64
	// Base is the version that the writer had read before it wrote.
	Base Uint
	// Version is the number of writes applied to the item: for a read what it saw, for a write the new one.
	Version Uint
	// Intended is when an acquire of an open-loop load should have been invoked, same clock as Time. 0: closed loop.
	Intended int64
	// Phase names the phase, on the nemesis's lines of that F.
	Phase string
	// Fault says what the nemesis injected or healed. It is nil on all other lines, and where a foreign history does
	// not say.
	Fault *Fault
	// Lasted is how long a Stopped or a Stalled lasted, in nanoseconds. 0: the line is about something else.
	Lasted int64
	// Error is the text of the error behind a Fail, an Info or a Reject, or how a process died.
	Error string
}

// Fault is one injection of a fault, as the nemesis's lines about it and about its heal say it. Lines share it: it
// must not be changed.
type Fault struct {
	// Step numbers the injections of a test, from 1. A heal undoes the step that it names; 0: all that is in force.
	Step int `json:"step,omitempty"`
	// Role is what a scenario calls the target ("holder", "minority", "n3").
	Role string `json:"role,omitempty"`
	// Hosts are who filled the role. Peers are the hosts at the other side of the links that the fault acts on;
	// empty: all.
	Hosts []string `json:"hosts,omitempty"`
	Peers []string `json:"peers,omitempty"`
	// Direction is "in" or "out" if the fault acts on only what the hosts receive or send; empty: on both.
	Direction string `json:"direction,omitempty"`
	// Settings are the values of the fault's settings by name, as a scenario writes them, but never in TTLs
	// ("dead-peer": "1s").
	Settings map[string]string `json:"settings,omitempty"`
}

// String says in a few words whom the fault hit and how ("holder: c1 from n1,n2 (dead-peer 1s)").
func (f *Fault) String() string {
	if f == nil {
		return ""
	}
	text := f.Role
	if hosts := strings.Join(f.Hosts, ","); text == "" {
		text = hosts
	} else if hosts != "" && hosts != text {
		text += ": " + hosts
	}
	if len(f.Peers) > 0 {
		text += " from " + strings.Join(f.Peers, ",")
	}
	var how []string
	if f.Direction != "" {
		how = append(how, f.Direction)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Settings)) {
		how = append(how, name+" "+f.Settings[name])
	}
	if len(how) > 0 {
		text += " (" + strings.Join(how, ", ") + ")"
	}
	return text
}

// StepOf is the step that the line is about; 0: it names none.
func (o *Op) StepOf() int {
	if o.Fault == nil {
		return 0
	}
	return o.Fault.Step
}

// Outside reports whether f tells what no fault of the nemesis did.
func Outside(f string) bool { return f == Died || f == Stopped || f == Stalled || f == Stepped }

// IsNemesis reports whether the line was written by the nemesis.
func (o *Op) IsNemesis() bool { return o.Process == NemesisProcess }
