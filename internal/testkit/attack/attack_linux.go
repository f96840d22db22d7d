package attack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

// Attack is one attack on one run.
type Attack struct {
	Name string
	// Short is true if it is fast, and needs neither root nor a machine of its own.
	Short bool
	// run returns what became of the run in a few words, or an error that says what should not have.
	run func(ctx context.Context, w *world) (became string, err error)
}

// Outcome is what became of an attack.
type Outcome struct {
	Attack string
	Became string
	// Err says what should not have happened; nil: nothing. Errors that wrap ErrCannot say that the machine cannot do it.
	Err error
}

// ErrCannot marks an attack that could not be made here.
var ErrCannot = errors.New("it could not be tried here")

// Run makes one attack on the program bin. dir is made, and removed if all went well. alone says that nothing else starts
// servers on this machine: only then can it be told whose shared memory is left.
func Run(ctx context.Context, bin, dir string, alone bool, a Attack) Outcome {
	o := Outcome{Attack: a.Name}
	w, err := newWorld(bin, dir, alone)
	if err == nil {
		o.Became, err = a.run(ctx, w)
	}
	if err == nil {
		err = w.leftovers(true)
	}
	if err == nil || errors.Is(err, ErrCannot) {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	o.Err = err
	return o
}

// kills is at how many moments the program is killed.
const kills = 20

// eventsOfARun is about how many events a run of the scenario tells.
const eventsOfARun = 55

// All lists the attacks.
func All() []Attack {
	var all []Attack
	for i := range kills {
		n := 1 + i*eventsOfARun/kills
		all = append(all, Attack{Name: fmt.Sprintf("SIGKILL after event %d", n), Short: i == kills/2, run: killed(n)})
	}
	for _, c := range []struct {
		name, driver string
		host         *regexp.Regexp
		short        bool
		texts        []string
	}{
		{"Redis", "redis-setnx", anyServer, true, []string{"redis-server"}},
		{"etcd member", "etcd", anyServer, false, []string{"internal-etcd"}},
		{"ZooKeeper server", "zookeeper", anyServer, false, []string{"zookeeper.jar"}},
		{"PostgreSQL", "postgres-row", anyServer, false, []string{"/postgres", "-D"}},
		{"a client", "", anyClient, true, []string{"internal-client"}},
	} {
		all = append(all,
			Attack{Name: c.name + " is killed", Short: c.short, run: struck(c.driver, c.host, syscall.SIGKILL, c.texts)},
			Attack{Name: c.name + " is stopped for a second", run: struck(c.driver, c.host, syscall.SIGSTOP, c.texts)})
	}
	return append(all,
		Attack{Name: "the janitor is killed", run: janitorKilled},
		Attack{Name: "the coordinator is stopped for 3 s", run: coordinatorStopped},
		Attack{Name: "SIGINT", run: ended(syscall.SIGINT)},
		Attack{Name: "SIGTERM", run: ended(syscall.SIGTERM)},
		Attack{Name: "SIGHUP", run: ended(syscall.SIGHUP)},
		Attack{Name: "the disk is full", run: fullDisk},
		Attack{Name: "a stranger asks Redis without a password", run: strangerAsksRedis},
		Attack{Name: "a relative TMPDIR", run: odd("TMPDIR=tmp")},
		Attack{Name: "PG* variables of the user", run: odd("PGHOST=192.0.2.1", "PGPORT=1", "PGUSER=nobody", "PGSSLMODE=verify-full", "PGSERVICE=none", "PGOPTIONS=-c default_transaction_read_only=on")},
		Attack{Name: "Java and etcd variables of the user", run: odd("JAVA_TOOL_OPTIONS=-Xmx1k", "JVMFLAGS=-Xmx1k", "CLASSPATH=/nowhere", "ETCD_DATA_DIR=/nowhere", "ETCD_NAME=x")},
		Attack{Name: "no HOME, a Turkish locale", run: odd("HOME=", "LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8")},
	)
}

var (
	anyServer = regexp.MustCompile(`^n\d$`)
	anyClient = regexp.MustCompile(`^c\d$`)
)

// killed kills the coordinator after its n-th event: what was recorded must be in the histories after a check.
func killed(n int) func(context.Context, *world) (string, error) {
	return func(ctx context.Context, w *world) (string, error) {
		p, err := w.start(nil)
		if err != nil {
			return "", err
		}
		if _, err := p.await(n, func(event) bool { return true }); err != nil {
			code, _, ferr := p.finish()
			return fmt.Sprintf("it had ended with exit code %d", code), ferr
		}
		if err := signal(p.cmd.Process.Pid, syscall.SIGKILL); err != nil {
			return "", err
		}
		if _, _, err := p.finish(); err != nil {
			return "", err
		}
		if err := w.leftovers(false); err != nil {
			return "", err
		}
		counts, err := recorded(p.dir)
		if err != nil {
			return "", err
		}
		code, said, err := w.check(ctx, p.dir)
		if err != nil {
			return "", err
		}
		if !slices.Contains([]int{0, 1, 3}, code) {
			return "", fmt.Errorf("check ended with %d: %s", code, tail(said))
		}
		ops := 0
		for test, n := range counts {
			found, err := lines(p.dir, test)
			if err != nil || found != n {
				return "", fmt.Errorf("%s had recorded %d ops, and its history has %d lines: %w", test, n, found, err)
			}
			ops += n
		}
		return fmt.Sprintf("check: exit %d; all %d ops of %d tests under way are there", code, ops, len(counts)), wrongBlame(p.dir, "")
	}
}

// wrongBlame returns an error if a test says that its lock is to blame, though nothing but the attack happened. spoilt
// is the driver whose test the attack hit; empty: none is known.
func wrongBlame(dir, spoilt string) error {
	saved, err := results.Load(dir)
	if err != nil {
		return err
	}
	for _, v := range saved.Verdicts.Tests {
		for _, j := range []checker.Judgement{v.Result.Exclusion, v.Result.Liveness} {
			if j.Verdict == checker.Invalid && !strings.HasPrefix(v.Test, spoilt+".") {
				return fmt.Errorf("%s is blamed: %s", v.Test, j.Reason)
			}
		}
	}
	return nil
}

// struck kills or stops a process of the run: its test must be unknown and name the host, the others complete.
func struck(driver string, host *regexp.Regexp, s syscall.Signal, texts []string) func(context.Context, *world) (string, error) {
	return func(_ context.Context, w *world) (string, error) {
		p, err := w.start(nil)
		if err != nil {
			return "", err
		}
		if _, err := p.await(1, of("tick")); err != nil {
			_, _, ferr := p.finish()
			return "", errors.Join(err, ferr)
		}
		pid, err := p.child(texts...)
		if err != nil {
			_, _, ferr := p.finish()
			return "", errors.Join(err, ferr)
		}
		if err := signal(pid, s); err != nil {
			return "", err
		}
		if s == syscall.SIGSTOP {
			time.AfterFunc(time.Second, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
		}
		code, _, err := p.finish()
		if err != nil {
			return "", err
		}
		if code != 3 {
			return "", fmt.Errorf("exit code %d, want 3; it said: %s", code, tail(p.said.String()))
		}
		saved, err := results.Load(p.dir)
		if err != nil {
			return "", err
		}
		told := ""
		for _, v := range saved.Verdicts.Tests {
			hit := slices.ContainsFunc(v.Result.Outside, func(e checker.Outside) bool { return e.What != "stalled" && host.MatchString(e.Host) })
			switch {
			case hit && (driver == "" || strings.HasPrefix(v.Test, driver+".")) && v.Result.Exclusion.Verdict == checker.Unknown:
				told = v.Test + " unknown: " + v.Result.Exclusion.Reason
			case v.Result.Exclusion.Verdict == checker.Invalid:
				return "", fmt.Errorf("%s is blamed: %s", v.Test, v.Result.Exclusion.Reason)
			}
		}
		if told == "" {
			return "", errors.New("no verdict names the process that was hit")
		}
		return told, nil
	}
}

func janitorKilled(_ context.Context, w *world) (string, error) {
	p, err := w.start(nil)
	if err != nil {
		return "", err
	}
	_, err = p.await(1, of("tick"))
	if err == nil {
		var pid int
		if pid, err = p.child("internal-janitor"); err == nil {
			err = signal(pid, syscall.SIGKILL)
		}
	}
	if err == nil {
		_, err = p.await(1, func(e event) bool { return strings.Contains(e.Text, "janitor") })
	}
	if err == nil {
		err = signal(p.cmd.Process.Pid, syscall.SIGKILL) // the new one has to clean up
	}
	_, _, ferr := p.finish()
	return "it was said, and the next one cleaned up after SIGKILL", errors.Join(err, ferr)
}

func coordinatorStopped(_ context.Context, w *world) (string, error) {
	p, err := w.start(nil)
	if err != nil {
		return "", err
	}
	if _, err = p.await(1, of("tick")); err == nil {
		pid := p.cmd.Process.Pid
		err = signal(pid, syscall.SIGSTOP)
		time.AfterFunc(3*time.Second, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}
	code, _, ferr := p.finish()
	if err := errors.Join(err, ferr); err != nil {
		return "", err
	}
	if code != 3 {
		return "", fmt.Errorf("exit code %d, want 3; it said: %s", code, tail(p.said.String()))
	}
	return "exit 3", wrongBlame(p.dir, "")
}

// ended sends a signal that asks the run to end: it must end as after Ctrl-C.
func ended(s syscall.Signal) func(context.Context, *world) (string, error) {
	return func(_ context.Context, w *world) (string, error) {
		p, err := w.start(nil)
		if err != nil {
			return "", err
		}
		if _, err = p.await(1, of("tick")); err == nil {
			err = signal(p.cmd.Process.Pid, s)
		}
		code, _, ferr := p.finish()
		if err := errors.Join(err, ferr); err != nil {
			return "", err
		}
		if code != 130 {
			return "", fmt.Errorf("exit code %d, want 130; it said: %s", code, tail(p.said.String()))
		}
		return "exit 130", wrongBlame(p.dir, "")
	}
}

func fullDisk(_ context.Context, w *world) (_ string, err error) {
	if err := unix.Mount("none", w.out, "tmpfs", 0, "size=6m"); err != nil {
		return "", fmt.Errorf("%w: mount a small disk: %w", ErrCannot, err)
	}
	defer func() { err = errors.Join(err, unix.Unmount(w.out, 0)) }()
	p, err := w.start(nil)
	if err != nil {
		return "", err
	}
	code, _, err := p.finish()
	if err != nil {
		return "", err
	}
	if said := p.said.String(); code != 4 || !strings.Contains(said, "no space") {
		return "", fmt.Errorf("exit code %d, want 4 and the disk named; it said: %s", code, tail(said))
	}
	return "exit 4, and the disk is named", nil
}

func strangerAsksRedis(ctx context.Context, w *world) (string, error) {
	p, err := w.start(nil, "--driver", "redis-setnx")
	if err != nil {
		return "", err
	}
	answer := ""
	if _, err = p.await(1, of("tick")); err == nil {
		answer, err = askRedis(ctx, p)
	}
	_, _, ferr := p.finish()
	if err := errors.Join(err, ferr); err != nil {
		return "", err
	}
	if !strings.HasPrefix(answer, "-NOAUTH") {
		return "", fmt.Errorf("it answers %q", answer)
	}
	return answer, nil
}

var redisAddr = regexp.MustCompile(`127\.\d+\.\d+\.\d+:\d+`)

func askRedis(ctx context.Context, p *process) (string, error) {
	pid, err := p.child("redis-server")
	if err != nil {
		return "", err
	}
	line, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "cmdline"))
	if err != nil {
		return "", err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", redisAddr.FindString(string(line)))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience / 10)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte("KEYS *\r\n")); err != nil {
		return "", err
	}
	b := make([]byte, 200)
	n, err := conn.Read(b)
	return strings.TrimSpace(string(b[:n])), err
}

// odd runs under odd variables: the run must be as any other.
func odd(env ...string) func(context.Context, *world) (string, error) {
	return func(_ context.Context, w *world) (string, error) {
		p, err := w.start(env)
		if err != nil {
			return "", err
		}
		code, _, err := p.finish()
		if err != nil {
			return "", err
		}
		if !slices.Contains([]int{0, 3}, code) { // a busy machine may prove nothing
			return "", fmt.Errorf("exit code %d; it said: %s", code, tail(p.said.String()))
		}
		saved, err := results.Load(p.dir)
		if err != nil {
			return "", err
		}
		for _, d := range saved.Run.Drivers {
			if d.Status != results.Complete {
				return "", fmt.Errorf("%s: %s: %s", d.Name, d.Status, d.Reason)
			}
		}
		return fmt.Sprintf("exit %d", code), wrongBlame(p.dir, "")
	}
}
