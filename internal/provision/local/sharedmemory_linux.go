package local

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/provision"
)

// ForgetSharedMemory implements provision.Host.
func (h *Host) ForgetSharedMemory(id int, user *provision.User) error {
	if user == nil {
		return removeSegment(id)
	}
	return as(*user, func() error { return removeSegment(id) })
}

func removeSegment(id int) error {
	if _, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil); err != nil {
		return fmt.Errorf("remove shared memory segment %d: %w", id, err)
	}
	return nil
}

// as calls f as that user. The owner of a segment or a process may do what root may not in a container that withholds
// capabilities.
func as(user provision.User, f func() error) error {
	if user.UID == uint32(os.Geteuid()) {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		// The bare system calls change this thread alone (unix.Setresuid changes all); never unlocked, the thread ends
		// with this goroutine.
		runtime.LockOSThread()
		const unchanged = ^uintptr(0)
		_, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, unchanged, uintptr(user.GID), unchanged)
		if errno == 0 {
			_, _, errno = unix.RawSyscall(unix.SYS_SETRESUID, unchanged, uintptr(user.UID), unchanged)
		}
		if errno != 0 {
			done <- fmt.Errorf("become user %d of group %d: %w", user.UID, user.GID, errno)
			return
		}
		done <- f()
	}()
	return <-done
}

// shared is the shared memory that processes have attached and that outlives them if they are killed.
type shared struct {
	files    map[string]bool        // of POSIX shared memory
	segments map[int]provision.User // of System V, with the user who may remove them
}

func newShared() shared { return shared{map[string]bool{}, map[int]provision.User{}} }

// stopAndAdd stops a process, so that it attaches nothing more, and adds what it has attached.
func (s *shared) stopAndAdd(pid int) {
	_ = syscall.Kill(pid, syscall.SIGSTOP) // whether it can be killed is what counts
	number := strconv.Itoa(pid)
	if user, ok := realUser(number); ok {
		s.add(number, user)
	}
}

// sharedFile is how the files begin that PostgreSQL makes.
const sharedFile = "/dev/shm/PostgreSQL."

// add adds what a PostgreSQL process has attached. The servers of a run keep no files there and have their segments
// forgotten, but the servers that initdb starts do neither.
func (s *shared) add(pid string, user provision.User) {
	_ = as(user, func() error { // the process may be gone
		maps, err := os.ReadFile(filepath.Join("/proc", pid, "maps"))
		for line := range strings.Lines(string(maps)) {
			const inode, name = 4, 5
			fields := strings.Fields(line)
			if len(fields) <= name {
				continue
			}
			if strings.HasPrefix(fields[name], sharedFile) {
				s.files[fields[name]] = true
			}
			if id, err := strconv.Atoi(fields[inode]); err == nil && strings.HasPrefix(fields[name], "/SYSV") {
				s.segments[id] = user
			}
		}
		// A file is open before it is mapped.
		open, _ := filepath.Glob(filepath.Join("/proc", pid, "fd", "*"))
		for _, fd := range open {
			if file, err := os.Readlink(fd); err == nil && strings.HasPrefix(file, sharedFile) {
				s.files[file] = true
			}
		}
		return err
	})
}

// remove removes it. What is gone already is no error.
func (s *shared) remove() error {
	var errs []error
	for file := range s.files {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove the shared memory of a server: %w", err))
		}
	}
	for id, user := range s.segments {
		err := as(user, func() error { return removeSegment(id) })
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIDRM) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// removeSegments removes the System V segments of killed PostgreSQL servers. A server names its own in postmaster.pid,
// as soon as it has one.
func removeSegments(scratch string) error {
	notes, err := filepath.Glob(filepath.Join(escaped(scratch), "*", "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("find the shared memory of servers: %w", err)
	}
	var errs []error
	for _, path := range notes {
		errs = append(errs, removeSegmentOf(path))
	}
	return errors.Join(errs...)
}

// escaped is a path as a pattern that matches it alone.
func escaped(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func removeSegmentOf(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // it is gone, and the server ended in order
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("find the shared memory of a server: %w", err)
	}
	lines := bytes.Split(content, []byte("\n"))
	const keyAndID = 7 // the line that has both; the first has the process, below 0 if it is no server for others
	if len(lines) < keyAndID {
		return nil // it was killed before it had any
	}
	fields := bytes.Fields(lines[keyAndID-1])
	pid, err := strconv.Atoi(string(bytes.TrimSpace(lines[0])))
	if err != nil || len(fields) != 2 {
		return nil
	}
	id, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return nil
	}
	stat := info.Sys().(*syscall.Stat_t)
	return as(provision.User{UID: stat.Uid, GID: stat.Gid}, func() error {
		var segment unix.SysvShmDesc
		_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &segment)
		if err != nil || int(segment.Cpid) != max(pid, -pid) { // it is gone, and the number may be another's by now
			return nil
		}
		return removeSegment(id)
	})
}
