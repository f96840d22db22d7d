package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/faults"
	"github.com/lockbench/lockbench/internal/history"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/rng"
	"github.com/lockbench/lockbench/scenarios"
)

// injection is one fault in force.
type injection struct {
	step  *Step
	value string // what the history calls it
	began int64
	hold  *hold // that ends with it; nil: none does
	undo  func(context.Context) error
	once  sync.Once
	err   error
}

func (in *injection) event(kind progress.Kind) progress.Event {
	return progress.Event{Kind: kind, Phase: in.step.Phase, Fault: in.step.Fault, Target: in.value}
}

// strike injects the n-th fault of the phase, which is the i-th to strike. A fault that cannot be injected leaves the
// history to say so, and the verdict unknown.
func (s *strikes) strike(ctx context.Context, i, n int, f scenarios.Fault) (missed, err error) {
	t := s.test
	fault, strike, problems := aim(f, t.ttl())
	if len(problems) > 0 {
		return nil, problems[0]
	}
	strike.Rand = rng.Stream(t.run.cfg.Seed, "strike "+t.meta.Name+" "+s.phase.Name, i)
	if i < len(s.replay) {
		strike.Hosts, strike.Peers = s.replay[i].Hosts, s.replay[i].Peers
	} else if strike.Hosts, strike.Peers, err = strike.Target.Resolve(ctx, t, s.random); err != nil {
		return fmt.Errorf("%s did not strike the %s: %w", f.Name, f.Target, err), nil
	}
	step := &Step{
		Phase: s.phase.Name, Index: n, Fault: f.Name, Target: f.Target, Direction: f.Direction,
		Hosts: strike.Hosts, Peers: strike.Peers, At: time.Duration(t.clock.Now()),
	}
	in := &injection{step: step, value: s.describe(strike), began: t.clock.Now()}
	if h := s.holder(); h != nil {
		step.Holder = h.host.name
		if s.phase.Draw > 0 && needsHolder(f) {
			in.hold = h
		}
	}
	if err := t.log(history.Invoke, f.Name, in.value, nil); err != nil {
		return nil, err
	}
	if in.undo, err = fault.Inject(ctx, t, strike); err != nil {
		err = fmt.Errorf("inject %s (%s): %w", f.Name, in.value, err)
		if in.undo != nil { // something is broken
			s.add(in)
		}
		if ctx.Err() != nil {
			return nil, err
		}
		return err, t.log(history.Info, f.Name, in.value, err)
	}
	t.addStep(step)
	s.add(in)
	s.noteModel(f, strike.Hosts)
	t.emit(in.event(progress.FaultStruck))
	if err := t.log(history.OK, f.Name, in.value, nil); err != nil {
		return nil, err
	}
	if f.For != nil {
		s.timed.Go(func() { s.healAfter(ctx, in, f.For.Of(t.ttl())) })
	}
	if h := s.holder(); f.HolderGoesOn && h != nil {
		return nil, h.end(ctx)
	}
	return nil, nil
}

// noteModel says so where no lock promises to survive what was done.
func (s *strikes) noteModel(f scenarios.Fault, hosts []string) {
	if f.Name != (faults.Amnesia{}).Info().Name {
		return
	}
	for _, host := range hosts {
		p, err := s.test.process(host)
		if err != nil {
			continue // it was struck a moment ago
		}
		if o, ok := p.(faults.OutsideModel); ok && o.OutsideModel() != "" {
			s.test.meta.Notes = append(s.test.meta.Notes, fmt.Sprintf("phase %s is outside the lock's fault model: %s", s.phase.Name, o.OutsideModel()))
		}
	}
}

// describe is what the history calls a strike; two in force at once have different names, for a heal to tell which it
// undoes.
func (s *strikes) describe(strike faults.Strike) string {
	value := string(strike.Target.Role)
	if hosts := strings.Join(strike.Hosts, ","); hosts != value {
		value += ": " + hosts
	}
	if strike.Peers != nil {
		value += " from " + strings.Join(strike.Peers, ",")
	}
	if d := strike.Params.DeadPeer; d > 0 {
		value += fmt.Sprintf("; servers drop who is silent for %v", d)
	}
	if offset := strike.Params.Offset; offset != nil {
		value += fmt.Sprintf(" by %v", *offset)
	}
	if ppm := strike.Params.PPM; ppm != 0 {
		value += fmt.Sprintf(" by %d ppm", ppm)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := value
	for n := 2; slices.ContainsFunc(s.force, func(in *injection) bool { return in.value == name }); n++ {
		name = fmt.Sprintf("%s (%d)", value, n)
	}
	return name
}

func (s *strikes) add(in *injection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.force = append(s.force, in)
}

// healAfter heals a fault that ends before its phase: once it has lasted, and acquires enough to prove something were
// attempted meanwhile.
func (s *strikes) healAfter(ctx context.Context, in *injection, lasts time.Duration) {
	err := sleep(ctx, lasts)
	if err == nil {
		err = s.test.awaitAttempts(ctx, in.began)
	}
	if in.hold != nil {
		err = errors.Join(err, s.release(ctx, in))
	} else {
		err = errors.Join(err, s.heal(ctx, in))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

// heal undoes a fault once, also when the run is being interrupted.
func (s *strikes) heal(ctx context.Context, in *injection) error {
	in.once.Do(func() {
		t := s.test
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.bound()+healTimeout)
		defer cancel()
		logged := t.log(history.Invoke, history.Heal, in.value, nil) // what cannot be recorded must be healed all the same
		if err := in.undo(ctx); err != nil {
			err = fmt.Errorf("%w: %s (%s): %w; still held: %v", errHeal, in.step.Fault, in.value, err, t.processes.Left())
			in.err = errors.Join(err, logged, t.log(history.Info, history.Heal, in.value, err))
			return
		}
		t.healed(in.step)
		t.emit(in.event(progress.FaultHealed))
		in.err = errors.Join(logged, t.log(history.OK, history.Heal, in.value, nil))
	})
	return in.err
}

// healTimeout is what the start of a server may take, beside what a lock may.
const healTimeout = 30 * time.Second
