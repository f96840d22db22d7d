package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/progress"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/stall"
)

// coordinator is what lines about this program itself call it. The links and the resource live in it.
const coordinator = "coordinator"

// errDied is wrapped by the cause that ends a test of which a process died without a fault's doing.
var errDied = errors.New("no fault did it: what the test shows is not the lock's doing alone")

// meterStalls tells all tests under way when the machine did not run this program, or its clock was set.
func (r *run) meterStalls(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	tell := func(op history.Op) {
		r.liveMu.Lock()
		defer r.liveMu.Unlock()
		for t := range r.live {
			t.outside(op, coordinator)
		}
	}
	meter := stall.Meter{
		Clock:   r.clock,
		Stalled: func(_ int64, d time.Duration) { tell(history.Op{F: history.Stalled, Lasted: int64(d)}) },
		Stepped: func(_ int64, by time.Duration) {
			tell(history.Op{F: history.Stepped, Fault: &history.Fault{Settings: map[string]string{"offset": by.String()}}})
		},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		meter.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// outside records what no fault did. What cannot be recorded ends the test elsewhere: every line goes the same way.
func (t *test) outside(op history.Op, host string) {
	op.Client, op.Process, op.Type = "nemesis", history.NemesisProcess, history.OK
	fault := history.Fault{Hosts: []string{host}}
	if op.Fault != nil {
		fault.Settings = op.Fault.Settings
	}
	op.Fault = &fault
	_ = t.record(&op)
}

// watchProcesses notices when a process of the test dies or is stopped without a fault's doing: it is recorded and told
// at once, and a death ends the context that is returned for the phases. The caller calls stop before it ends the
// processes.
func (t *test) watchProcesses(ctx context.Context) (_ context.Context, stop func()) {
	if t.lines == nil { // it could not be opened
		return ctx, func() {}
	}
	phases, died := context.WithCancelCause(ctx)
	watching, cancel := context.WithCancel(phases)
	t.run.liveMu.Lock()
	t.run.live[t] = struct{}{}
	t.run.liveMu.Unlock()
	var all sync.WaitGroup
	for _, host := range t.processHosts() {
		all.Go(func() { t.watchProcess(watching, host, died) })
	}
	return phases, func() {
		cancel()
		all.Wait()
		t.run.liveMu.Lock()
		delete(t.run.live, t)
		t.run.liveMu.Unlock()
		if t.err != nil && context.Cause(phases) == nil {
			t.lookForDead(died) // a broken pipe may be noticed before the death
		}
		if cause := context.Cause(phases); errors.Is(cause, errDied) {
			t.died = cause
		}
		died(nil)
	}
}

// processHosts are the names of the servers and clients.
func (t *test) processHosts() []string {
	var names []string
	for _, n := range t.cluster.Nodes() {
		names = append(names, n.Name)
	}
	for _, c := range t.clients {
		names = append(names, c.Name())
	}
	return names
}

// life is the host's process now; nil: it has none. mayStop is true of a client that was told to stop itself.
func (t *test) life(host string) (p provision.Process, mayStop bool) {
	for _, n := range t.cluster.Nodes() {
		if n.Name == host {
			return n.Process.Life(), false
		}
	}
	for _, c := range t.clients {
		if c.Name() == host {
			return c.Life(), c.MayStop()
		}
	}
	return nil, false
}

// lookAgain is how long a watch waits for what no event tells: a process that a fault killed is started again, or one
// that was stopped goes on.
const lookAgain = 10 * time.Millisecond

func (t *test) watchProcess(ctx context.Context, host string, died context.CancelCauseFunc) {
	var over provision.Process // has ended, by a fault
	for ctx.Err() == nil {
		p, _ := t.life(host)
		if p == nil || p == over {
			_ = sleep(ctx, lookAgain)
			continue
		}
		select {
		case <-ctx.Done():
		case <-p.Exited():
			over = p
			if t.unexpected(host, p) {
				died(t.tellDeath(host, p))
				return
			}
		case <-p.Stops():
			t.watchStop(ctx, host, p)
		}
	}
}

// unexpected reports whether the process, which has ended or stands still, was not made to by a fault. A fault that is
// being injected or healed is waited for.
func (t *test) unexpected(host string, p provision.Process) bool {
	held := t.processes.Held(host)
	now, mayStop := t.life(host)
	return !held && !mayStop && now == p
}

// watchStop measures how long a process stands still that no fault has stopped.
func (t *test) watchStop(ctx context.Context, host string, p provision.Process) {
	from := t.clock.Now()
	if !t.unexpected(host, p) || !p.Suspended() {
		return
	}
	t.emit(progress.Event{Kind: progress.Note, Text: host + " was stopped by a signal, and no fault did it"})
	for p.Suspended() && t.unexpected(host, p) {
		if sleep(ctx, lookAgain) != nil {
			break
		}
	}
	now := t.clock.Now()
	t.outside(history.Op{F: history.Stopped, Lasted: now - from}, host)
}

// tellDeath records and tells that the host's process died. It returns what ends the test.
func (t *test) tellDeath(host string, p provision.Process) error {
	how := "exit status 0"
	if err := p.Err(); err != nil {
		how = cmp.Or(errors.Unwrap(err), err).Error()
	}
	now := t.clock.Now()
	t.outside(history.Op{F: history.Died, Error: how}, host)
	event := checker.Outside{What: history.Died, Host: host, From: now, To: now, Detail: how}
	text := event.Text(t.began)
	t.emit(progress.Event{Kind: progress.Note, Text: text + ", and no fault did it: the test ends"})
	return fmt.Errorf("%s: %w", text, errDied)
}

// noticeDeath bounds how long after an error of the test a process may still turn out to have died.
const noticeDeath = time.Second

// lookForDead looks once more, after the test has failed.
func (t *test) lookForDead(died context.CancelCauseFunc) {
	for deadline := time.Now().Add(noticeDeath); time.Now().Before(deadline); time.Sleep(lookAgain) {
		for _, host := range t.processHosts() {
			p, _ := t.life(host)
			if p == nil {
				continue
			}
			select {
			case <-p.Exited():
				if t.unexpected(host, p) {
					died(t.tellDeath(host, p))
					return
				}
			default:
			}
		}
	}
}

// revive starts those servers again that died before the test, so that a death costs one test.
func (t *test) revive(ctx context.Context) error {
	for _, n := range t.cluster.Nodes() {
		select {
		case <-n.Process.Exited():
			if err := n.Process.Start(ctx); err != nil {
				return fmt.Errorf("start %s again, which had died: %w", n.Name, err)
			}
			t.meta.Notes = append(t.meta.Notes, n.Name+" had died before the test began, and was started again")
		default:
		}
	}
	return nil
}
