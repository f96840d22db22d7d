// Package recorder keeps one stream of a history while it happens: the ops of one worker, of the resource or of
// the nemesis. A stream is a memory-mapped file, so that recording an op costs a copy and no system call,
// needs no lock that another stream could hold, and survives a SIGKILL at any instant.
package recorder

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/disk"
)

const (
	// window is the address space of a stream and so its largest size: some five million ops.
	window = 1 << 30
	// step is how much of the file is reserved at a time. Reserved, because a page that the file system cannot
	// provide at the moment it is touched ends the process with SIGBUS.
	step = 1 << 20
)

// Recorder appends to one stream. It is not safe for concurrent use.
type Recorder struct {
	file      *os.File
	mem       []byte
	committed *atomic.Uint64
	used      int // header included
	reserved  int
	line      []byte
}

// Create makes the file, which must not exist. After an error it does not exist either.
func Create(path string) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create a history stream: %w", disk.Advise(err))
	}
	r := &Recorder{file: f, used: header}
	if err := r.begin(path); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return r, nil
}

// begin reserves the first part of the file and maps it.
func (r *Recorder) begin(path string) (err error) {
	if err := r.reserve(step); err != nil {
		return err
	}
	if r.mem, err = unix.Mmap(int(r.file.Fd()), 0, window, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map the history stream %s: %w", path, err)
	}
	// The kernel aligns the mapping to a page, so the word is aligned too.
	r.committed = (*atomic.Uint64)(unsafe.Pointer(&r.mem[8]))
	magic := magic()
	copy(r.mem, magic[:])
	return nil
}

func (r *Recorder) reserve(size int) error {
	if size > window {
		return fmt.Errorf("history stream %s: more than %d bytes; shorten the run or add workers", r.file.Name(), window)
	}
	if err := unix.Fallocate(int(r.file.Fd()), 0, 0, int64(size)); err != nil {
		return fmt.Errorf("reserve %d bytes for the history stream %s: %w", size, r.file.Name(), disk.Advise(err))
	}
	r.reserved = size
	return nil
}

// Append records the op; Index is not stored. When it returns nil the op survives the end of the process.
func (r *Recorder) Append(op *history.Op) error {
	r.line = history.AppendLine(r.line[:0], op)
	if r.used+len(r.line) > r.reserved {
		if err := r.reserve(r.reserved + max(step, len(r.line))); err != nil {
			return err
		}
	}
	copy(r.mem[r.used:], r.line)
	r.used += len(r.line)
	r.committed.Store(uint64(r.used - header))
	return nil
}

// Close gives the memory and the rest of the reserved space back.
func (r *Recorder) Close() error {
	err := unix.Munmap(r.mem)
	if err == nil {
		err = r.file.Truncate(int64(r.used))
	}
	if err = errors.Join(err, r.file.Close()); err != nil {
		return fmt.Errorf("close the history stream %s: %w", r.file.Name(), err)
	}
	return nil
}
