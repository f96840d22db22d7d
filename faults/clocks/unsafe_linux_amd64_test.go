package clocks

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// A thread behind the first instruction of a function would go on in the middle of the jump.
func TestStoppedBehindAnEntry(t *testing.T) {
	needClocks(t)
	c := perlChild(t, perlClocks)
	must.Succeed(t, c.check("", 0))
	target, err := open(c.pid())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := target.close(); err != nil {
			t.Error(err)
		}
	}()
	err = stopBehindEntry(c, target)
	if errors.Is(err, syscall.EPERM) {
		t.Skipf("SKIPPED, NOT PROVEN: no debugger may be used: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	await(t, c.pid(), 'T')
	if err := Set(c.pid(), time.Hour); err == nil || !strings.Contains(err.Error(), "let it go on") {
		t.Errorf("it was skewed where it crashes: %v", err)
	}
	if _, patched, err := Offset(c.pid()); patched || err != nil {
		t.Errorf("patched: %v, %v", patched, err)
	}
	must.Succeed(t, syscall.Kill(c.pid(), syscall.SIGCONT))
	if answer, err := c.out.ReadString('\n'); err != nil {
		t.Fatalf("answer %q: %v", answer, err)
	}
	must.Succeed(t, Set(c.pid(), time.Hour))
	expect(t, c, time.Hour, true)
}

// stopBehindEntry stops the child when it has executed the first instruction of clock_gettime, as a debugger would: a
// breakpoint at the entry, a single step from there, and a SIGSTOP to leave it with.
func stopBehindEntry(c *child, target *target) error {
	runtime.LockOSThread() // a tracer is a thread
	defer runtime.UnlockOSThread()
	if err := syscall.PtraceAttach(c.pid()); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	wait := func(want syscall.Signal) error {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(c.pid(), &status, syscall.WALL, nil); err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		if !status.Stopped() || status.StopSignal() != want {
			return fmt.Errorf("the child's status is %#x, want a stop by %v", status, want)
		}
		return nil
	}
	if err := wait(syscall.SIGSTOP); err != nil {
		return err
	}
	entry := target.entries[0]
	if err := target.write(entry, []byte{0xcc}); err != nil { // int3
		return err
	}
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		return err
	}
	if err := syscall.PtraceCont(c.pid(), 0); err != nil {
		return fmt.Errorf("continue: %w", err)
	}
	if err := wait(syscall.SIGTRAP); err != nil {
		return err
	}
	if err := target.write(entry, target.originals[0][:1]); err != nil {
		return err
	}
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(c.pid(), &regs); err != nil {
		return fmt.Errorf("read registers: %w", err)
	}
	regs.SetPC(target.base + uint64(entry))
	if err := syscall.PtraceSetRegs(c.pid(), &regs); err != nil {
		return fmt.Errorf("write registers: %w", err)
	}
	if err := syscall.PtraceSingleStep(c.pid()); err != nil {
		return fmt.Errorf("step: %w", err)
	}
	if err := wait(syscall.SIGTRAP); err != nil {
		return err
	}
	if err := syscall.PtraceGetRegs(c.pid(), &regs); err != nil {
		return fmt.Errorf("read registers: %w", err)
	}
	if !target.inside(regs.PC() - target.base) {
		return fmt.Errorf("the child is %d bytes behind the entry", regs.PC()-target.base-uint64(entry))
	}
	if err := syscall.Kill(c.pid(), syscall.SIGSTOP); err != nil {
		return err
	}
	return syscall.PtraceDetach(c.pid())
}
