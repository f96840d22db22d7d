package clocks

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errUnsettled says that there may be a vDSO in a moment: the process is within a call of exec.
var errUnsettled = errors.New("the process has no vDSO")

// stackSearched is how much of a thread's stack is searched for the frame of a signal. Bytes.
const stackSearched = 64 << 10

// target is a process's memory, opened.
type target struct {
	mem *os.File
	*vdso
	// base is where the vDSO begins.
	base uint64
}

// open reads a process's vDSO. The caller closes mem.
func open(pid int) (*target, error) {
	// The memory is opened first: after an exec in between, it is that of the old program, which is of no consequence.
	mem, err := os.OpenFile(filepath.Join("/proc", strconv.Itoa(pid), "mem"), os.O_RDWR, 0)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("open the memory of process %d: %w (only its own user may, and with kernel.yama.ptrace_scope=1 only an ancestor)", pid, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the memory of process %d: %w", pid, err)
	}
	t, err := find(pid, mem)
	if err != nil {
		return nil, errors.Join(err, mem.Close())
	}
	return t, nil
}

func find(pid int, mem *os.File) (*target, error) {
	maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "maps"))
	if err != nil {
		return nil, fmt.Errorf("read the mappings of process %d: %w", pid, err)
	}
	if len(maps) == 0 {
		return nil, fmt.Errorf("process %d has no memory of its own: it belongs to the kernel, or is ending", pid)
	}
	base, size, err := mapping(maps)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	image := make([]byte, size)
	if _, err := mem.ReadAt(image, int64(base)); err != nil {
		return nil, fmt.Errorf("%w that can be read: process %d: %w", errUnsettled, pid, err)
	}
	v, err := parse(image)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return &target{mem: mem, vdso: v, base: base}, nil
}

// maxVDSO is far above the two or three pages that a vDSO has. Bytes.
const maxVDSO = 1 << 20

// mapping finds the vDSO in the text of /proc/PID/maps (proc_pid_maps(5)).
func mapping(maps []byte) (base, size uint64, err error) {
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if len(fields) != 6 || fields[5] != "[vdso]" {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		base, err := strconv.ParseUint(from, 16, 63)
		if err != nil {
			return 0, 0, fmt.Errorf("the mapping of the vDSO: %w", err)
		}
		end, err := strconv.ParseUint(to, 16, 63)
		if err != nil {
			return 0, 0, fmt.Errorf("the mapping of the vDSO: %w", err)
		}
		if end <= base || end-base > maxVDSO {
			return 0, 0, fmt.Errorf("the mapping of the vDSO is from %#x to %#x", base, end)
		}
		return base, end - base, nil
	}
	return 0, 0, errUnsettled
}

func (t *target) close() error { return t.mem.Close() }

func (t *target) write(at int, b []byte) error {
	_, err := t.mem.WriteAt(b, int64(t.base)+int64(at))
	if errors.Is(err, syscall.EIO) {
		return fmt.Errorf("%w: the kernel does not let the vDSO be written through /proc/PID/mem (boot parameter proc_mem.force_override)", ErrUnsupported)
	}
	if err != nil {
		return fmt.Errorf("write to the vDSO: %w", err)
	}
	return nil
}

// setOffset changes the offset in the installed shim while threads may read it. How the kernel copies 8 bytes is not
// laid down, so it writes to the slot that is not in use, and then changes over by writing one byte.
func (t *target) setOffset(offset time.Duration) error {
	next := slotSize - t.image[t.shim+shimSelect]
	if err := t.write(t.shim+shimSlots+int(next), slot(offset)); err != nil {
		return err
	}
	return t.write(t.shim+shimSelect, []byte{next})
}

// redirect lets all functions jump to the shim, which it installs first. All threads stand still.
func (t *target) redirect(offset time.Duration) error {
	var err error
	if t.installed {
		err = t.setOffset(offset)
	} else {
		err = t.write(t.shim, t.assemble(offset))
	}
	if err != nil {
		return err
	}
	for i, e := range t.entries {
		if err := t.write(e, t.jump(i)); err != nil {
			return err
		}
	}
	return nil
}

// restore undoes redirect. The shim remains, because a thread may be in it. All threads stand still.
func (t *target) restore() error {
	for i, e := range t.entries {
		if err := t.write(e, t.originals[i]); err != nil {
			return err
		}
	}
	return nil
}

// safe tells whether no thread would go on in the middle of an instruction if an entry's first bytes were exchanged:
// neither at once nor when it returns from a signal's handler, whose frame on the stack has the address.
func (t *target) safe(threads []position) bool {
	for _, p := range threads {
		if t.inside(p.pc - t.base) {
			return false
		}
		stack := make([]byte, stackSearched)
		n, _ := t.mem.ReadAt(stack, int64(p.sp)) // ends early where the stack does, which is no error
		for b := stack[:n]; len(b) >= 8; b = b[8:] {
			if t.inside(binary.LittleEndian.Uint64(b) - t.base) {
				return false
			}
		}
	}
	return true
}

// position is where a thread stands.
type position struct{ sp, pc uint64 }

// where reads a position from the text of /proc/PID/task/TID/syscall (proc_pid_syscall(5)). ok is false while the
// thread runs.
func where(text []byte) (p position, ok bool, err error) {
	fields := bytes.Fields(text)
	if len(fields) == 1 && string(fields[0]) == "running" {
		return position{}, false, nil
	}
	if len(fields) < 3 {
		return position{}, false, fmt.Errorf("no position in %q", text)
	}
	if p.sp, err = strconv.ParseUint(string(fields[len(fields)-2]), 0, 64); err != nil {
		return position{}, false, fmt.Errorf("stack pointer: %w", err)
	}
	if p.pc, err = strconv.ParseUint(string(fields[len(fields)-1]), 0, 64); err != nil {
		return position{}, false, fmt.Errorf("instruction pointer: %w", err)
	}
	return p, true, nil
}
