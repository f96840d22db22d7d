package nemesis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/faults/processes"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/scenarios"
	"github.com/lockbench/lockbench/scenarios/plan"
)

// injection is one fault in force.
type injection struct {
	step  *Step
	fault *history.Fault // what the history says of it
	hold  *hold          // that ends with it; nil: none does
	undo  func(context.Context) error
	once  sync.Once
	err   error
}

func (in *injection) event(kind progress.Kind) progress.Event {
	return progress.Event{Kind: kind, Phase: in.step.Phase, Fault: in.step.Fault.Name, Target: in.fault.String(), Injection: in.fault}
}

// inject injects a fault, as the i-th of the phase. A fault that cannot be injected leaves the
// history to say so, and the verdict unknown.
func (s *injector) inject(ctx context.Context, i int, f scenarios.Fault) (missed, err error) {
	fault, injected, problems := plan.Resolve(f, s.ttl())
	if len(problems) > 0 {
		return nil, problems[0]
	}
	injected.Rand = rng.Stream(s.cfg.Seed, "strike "+s.cfg.Test+" "+s.phase.Name, i)
	if i < len(s.replay) {
		injected.Hosts, injected.Peers = s.replay[i].Hosts, s.replay[i].Peers
	} else if injected.Hosts, injected.Peers, err = injected.Target.Resolve(ctx, s.Target(), s.random); err != nil {
		missed = fmt.Errorf("%s was not injected into the %s: %w", f.Name, f.Target, err)
		return missed, s.miss(f, missed)
	}
	in := &injection{fault: s.describe(injected)}
	step := &Step{
		Number: in.fault.Step, Phase: s.phase.Name, Fault: f, Hosts: injected.Hosts, Peers: injected.Peers, At: s.cfg.Passed(),
	}
	in.step = step
	if h := s.holder(); h != nil {
		step.Holder = h.Client()
		if s.phase.Draw > 0 && needsHolder(f) {
			in.hold = h
		}
	}
	if err := s.logFault(history.Invoke, f.Name, in.fault, nil); err != nil {
		return nil, err
	}
	if in.undo, err = fault.Inject(ctx, s.Target(), injected); err != nil {
		err = fmt.Errorf("inject %s (%s): %w", f.Name, in.fault, err)
		if in.undo != nil { // something is broken
			s.add(in)
		}
		if ctx.Err() != nil {
			return nil, err
		}
		return err, s.logFault(history.Info, f.Name, in.fault, err)
	}
	s.addStep(step)
	s.add(in)
	if fault.Info().Has(faults.LosesData) {
		s.noteModel(injected.Hosts)
	}
	s.cfg.Event(in.event(progress.FaultInjected))
	if err := s.logFault(history.OK, f.Name, in.fault, nil); err != nil {
		return nil, err
	}
	if f.For != nil {
		s.timed.Go(func() { s.healAfter(ctx, in, f.For.Of(s.ttl())) })
	}
	if h := s.holder(); f.HolderGoesOn && h != nil {
		return nil, h.end(ctx)
	}
	return nil, nil
}

// miss records that a fault was not injected.
func (s *injector) miss(f scenarios.Fault, cause error) error {
	_, planned, problems := plan.Resolve(f, s.ttl())
	if len(problems) > 0 {
		return problems[0]
	}
	return s.logFault(history.Fail, f.Name, s.describe(planned), cause)
}

// noteModel adds a note if no lock promises to survive that the hosts lost their data.
func (s *injector) noteModel(hosts []string) {
	for _, host := range hosts {
		p, err := s.cfg.Hosts.Processes().Process(host)
		if err != nil {
			continue // there was one a moment ago
		}
		if o, ok := p.(processes.OutsideModel); ok && o.OutsideModel() != "" {
			s.cfg.Note(fmt.Sprintf("phase %s is outside the lock's fault model: %s", s.phase.Name, o.OutsideModel()))
		}
	}
}

// describe is what the history says of an injection: whom it hits and how, and its number.
func (n *Nemesis) describe(in faults.Injection) *history.Fault {
	f := &history.Fault{Role: string(in.Target.Role), Hosts: in.Hosts, Peers: in.Peers}
	if d := in.Target.Direction; d != faults.Both {
		f.Direction = string(d)
	}
	f.Settings = in.Settings.Texts()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.injected++
	f.Step = n.injected
	return f
}

func (s *injector) add(in *injection) {
	s.forceMu.Lock()
	defer s.forceMu.Unlock()
	s.force = append(s.force, in)
}

// healAfter heals a fault that ends before its phase, once it has lasted. If too few acquires were attempted meanwhile,
// the checker says so: a fault that lasted longer than it should might outlive a lease.
func (s *injector) healAfter(ctx context.Context, in *injection, lasts time.Duration) {
	err := sleep(ctx, lasts)
	if in.hold != nil {
		err = errors.Join(err, s.release(ctx, in))
	} else {
		err = errors.Join(err, s.heal(ctx, in))
	}
	s.forceMu.Lock()
	defer s.forceMu.Unlock()
	s.errs = append(s.errs, err)
}

// heal undoes a fault once, also when the run is being interrupted.
func (s *injector) heal(ctx context.Context, in *injection) error {
	in.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Watch.Bound()+healTimeout)
		defer cancel()
		logged := s.logFault(history.Invoke, history.Heal, in.fault, nil) // what cannot be recorded must be healed all the same
		if err := in.undo(ctx); err != nil {
			err = fmt.Errorf("%w: %s (%s): %w; still held: %v", ErrHeal, in.step.Fault.Name, in.fault, err, s.cfg.Hosts.Processes().Left())
			in.err = errors.Join(err, logged, s.logFault(history.Info, history.Heal, in.fault, err))
			return
		}
		s.healed(in.step)
		s.cfg.Event(in.event(progress.FaultHealed))
		in.err = errors.Join(logged, s.logFault(history.OK, history.Heal, in.fault, nil))
	})
	return in.err
}

// healTimeout is what the start of a server may take, beside what a lock may.
const healTimeout = 30 * time.Second
