package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Problem is a value in a scenario that cannot be run.
type Problem struct {
	// File is the file's name; empty: none was read.
	File string
	// Path is where the value is, as YAML paths name it ("$.workload.ttl"); empty: the file as a whole.
	Path string
	// Line and Column, from 1, are where the file has it, or what is nearest to a value that is missing; 0 if no file
	// was read.
	Line, Column int
	Text         string
}

// Error implements error.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteString(" ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.Text
}

const (
	// maxName is the length of a scenario's or a phase's name in bytes.
	maxName = 100
	// maxSweep is how many values a sweep may have.
	maxSweep = 1000
	// minRate and maxRate bound an open loop, in acquires per second of all workers together.
	minRate, maxRate = 0.001, 100_000
)

// validator collects problems.
type validator struct{ errs []error }

func (v *validator) check(ok bool, path, format string, args ...any) {
	if !ok {
		v.errs = append(v.errs, &Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
}

// Validate reports everything in the scenario that cannot be run, as Problems. Names of drivers, faults and targets are
// not its business.
func (s *Scenario) Validate() error {
	v := &validator{}
	v.name("$.name", "scenario", s.Name)
	v.check(s.Summary != "", "$.summary", "a scenario needs a summary")
	v.check(isGroup(s.Group), "$.group", "%q is not none, network, clients, servers, clocks or mixed", s.Group)
	s.Workload.validate(v)
	v.check(len(s.Phases) > 0, "$.phases", "a scenario needs at least one phase")
	seen := map[string]bool{}
	for i := range s.Phases {
		p, path := &s.Phases[i], fmt.Sprintf("$.phases[%d]", i)
		v.name(path+".name", "phase", p.Name)
		v.check(!seen[p.Name], path+".name", "there is a phase %q already", p.Name)
		v.check(!p.Alone || i == 0 || s.Phases[i-1].Alone, path+".alone", "phases that run alone come first")
		seen[p.Name] = true
		p.validate(v, path, s.Workload)
	}
	for i, e := range s.Expect {
		path := fmt.Sprintf("$.expect[%d]", i)
		v.verdict(path+".exclusion", e.Exclusion)
		v.verdict(path+".data", e.Data)
	}
	v.check(s.Require.Grants >= 0, "$.require.grants", "%d is below 0", s.Require.Grants)
	v.check(s.Require.Attempts >= 0, "$.require.attempts", "%d is below 0", s.Require.Attempts)
	v.check(s.Liveness.Share >= 0 && s.Liveness.Share <= 1, "$.liveness.share", "%v is not between 0 and 1", s.Liveness.Share)
	v.check(s.Liveness.Share*float64(s.Workload.Clients) <= 1, "$.liveness.share", "%d clients cannot get a share of %v each",
		s.Workload.Clients, s.Liveness.Share)
	if g := s.Liveness.GrantedWithin; g != nil {
		v.check(*g != Span{}, "$.liveness.granted-within", "it must be a time above 0")
	}
	if s.Sweep != nil {
		v.check(len(s.Sweep.Values) > 0, "$.sweep.values", "a sweep needs values")
		v.check(len(s.Sweep.Values) <= maxSweep, "$.sweep.values", "these are %d values; at most %d are run", len(s.Sweep.Values), maxSweep)
	}
	return errors.Join(v.errs...)
}

// name checks the name of a scenario or a phase, which goes to terminals and into tables.
func (v *validator) name(path, of, name string) {
	v.check(name != "", path, "a %s needs a name", of)
	v.check(len(name) <= maxName, path, "this name has %d bytes; at most %d fit", len(name), maxName)
	v.check(!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }), path, "%q has a character that cannot be printed", name)
}

func (v *validator) verdict(path, text string) {
	v.check(slices.Contains([]string{"", "valid", "invalid", "any"}, text), path, "%q is not valid, invalid or any", text)
}

func (w *Workload) validate(v *validator) {
	check := func(ok bool, key, format string, args ...any) { v.check(ok, "$.workload."+key, format, args...) }
	ttl := time.Duration(w.TTL)
	check(w.Clients >= 1 && w.Clients <= 100, "clients", "%d is not between 1 and 100", w.Clients)
	check(w.Workers >= 1 && w.Workers <= 1000, "workers", "%d is not between 1 and 1000", w.Workers)
	check(w.Clients*w.Workers >= 2 || w.Clients < 1 || w.Workers < 1, "workers", "it takes two workers to show anything about a lock")
	check(w.Locks >= 1 && w.Locks <= 10000, "locks", "%d is not between 1 and 10000", w.Locks)
	check(!w.OppositeOrder || w.Locks >= 2, "opposite-order", "it takes two locks")
	check(!w.OppositeOrder || w.Resource != InTransaction, "resource", "opposite-order holds two locks in one transaction, so what is written under the first is not committed when it is released")
	check(ttl >= 100*time.Millisecond && ttl <= time.Hour, "ttl", "%v is not between 100ms and 1h", ttl)
	check(w.AcquireTimeout > 0, "acquire-timeout", "it is missing")
	check(w.Rate == 0 || w.Rate >= minRate && w.Rate <= maxRate, "rate", "%v is not between %v and %v acquires per second", w.Rate, minRate, maxRate)
	check(w.Fencing != "", "fencing", "it must be fenced, unfenced or both")
	check(w.Lost != "", "lost", "it must be heeding, ignoring or both")
	v.span("$.workload.hold", w.Hold, ttl)
	v.span("$.workload.think", w.Think, ttl)
}

func (v *validator) span(path string, r Range, ttl time.Duration) {
	least, most := r.Of(ttl)
	v.check(least <= most, path, "%v is a range that ends before it begins under a TTL of %v", r, ttl)
}

func (p *Phase) validate(v *validator, path string, w Workload) {
	v.check(p.For != Span{}, path+".for", "it must be a time above 0")
	v.check(p.Until == "" || p.Until == Rival, path+".until", "%q is not rival", p.Until)
	v.check(!p.Alone || len(p.Faults) == 0, path+".alone", "a phase that runs alone has no fault")
	v.check(!p.Latency || p.Alone, path+".latency", "a phase that measures latency must run alone: other locks would slow it")
	v.check(!p.Latency || p.oneWorker(w), path+".latency", "it takes a workload of one client with one worker: others would be in its way")
	v.check(p.Draw >= 0 && p.Draw <= 1000, path+".draw", "%d is not between 0 and 1000", p.Draw)
	v.check(p.Draw == 0 || len(p.Faults) > 0, path+".draw", "there are no faults to draw from")
	for i, f := range p.Faults {
		at := fmt.Sprintf("%s.faults[%d]", path, i)
		f.need(v, at, "name", f.Name)
		f.need(v, at, "target", f.Target)
	}
	o := p.Workload
	if o == nil {
		return
	}
	v.check(o.Clients == nil || *o.Clients >= 1 && *o.Clients <= w.Clients, path+".workload.clients", "it is not between 1 and the scenario's %d", w.Clients)
	v.check(o.Workers == nil || *o.Workers >= 1 && *o.Workers <= w.Workers, path+".workload.workers", "it is not between 1 and the scenario's %d", w.Workers)
	if o.Hold != nil {
		v.span(path+".workload.hold", *o.Hold, time.Duration(w.TTL))
	}
	if o.Think != nil {
		v.span(path+".workload.think", *o.Think, time.Duration(w.TTL))
	}
}

// Contended reports whether the phase measures contended latency under the scenario's workload: it runs alone, and
// several workers may meet.
func (p *Phase) Contended(w Workload) bool { return p.Alone && !p.oneWorker(w) }

// oneWorker reports whether the phase has one worker of one client.
func (p *Phase) oneWorker(w Workload) bool {
	clients, workers := w.Clients, w.Workers
	if o := p.Workload; o != nil && o.Clients != nil {
		clients = *o.Clients
	}
	if o := p.Workload; o != nil && o.Workers != nil {
		workers = *o.Workers
	}
	return clients == 1 && workers == 1
}
