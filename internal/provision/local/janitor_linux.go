package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lockbench/lockbench/internal/provision"
)

// janitor is a child that holds a pipe from this process. At its end of file, however this process died, it
// kills every process that works below the scratch directory and removes the directory. One that dies is replaced.
type janitor struct {
	scratch string
	run     func(func() error) error
	tell    func(string) // who hears of a death

	mu      sync.Mutex
	pid     int // of the last one
	pipe    io.Closer
	closing bool
	ended   chan error // of the last one, once nobody replaces it
}

// maxJanitors is how many janitors a run may use up.
const maxJanitors = 10

func startJanitor(scratch string, run func(func() error) error, tell func(string)) (*janitor, error) {
	j := &janitor{scratch: scratch, run: run, tell: tell, ended: make(chan error, 1)}
	cmd, err := j.start()
	if err != nil {
		return nil, err
	}
	go j.watch(cmd)
	return j, nil
}

// start starts a process, unless the janitor is closed.
func (j *janitor) start() (*exec.Cmd, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program to run as janitor: %w", err)
	}
	cmd := exec.Command(self, JanitorCommand, j.scratch)
	cmd.Dir, cmd.Env, cmd.Stderr = "/", environment(), os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("make the janitor's pipe: %w", err)
	}
	if j.closing {
		return nil, errors.New("the run is ending")
	}
	if err := j.run(cmd.Start); err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	j.pid, j.pipe = cmd.Process.Pid, pipe
	return cmd, nil
}

// watch replaces every janitor that dies before it is told to end.
func (j *janitor) watch(cmd *exec.Cmd) {
	for n := 1; ; n++ {
		err := cmd.Wait()
		j.mu.Lock()
		closing := j.closing
		j.mu.Unlock()
		if closing {
			j.ended <- err
			return
		}
		if err == nil {
			err = errors.New("it ended too early")
		}
		next, startErr := cmd, errors.New("too many have died")
		if n < maxJanitors {
			next, startErr = j.start()
		}
		if startErr != nil {
			j.tell(fmt.Sprintf("the janitor died (%v), and there is no other: %v; if this program is killed, processes and files stay behind in %s", err, startErr, j.scratch))
			j.ended <- err
			return
		}
		j.tell(fmt.Sprintf("the janitor died (%v); another has taken over", err))
		cmd = next
	}
}

func (j *janitor) close() error {
	j.mu.Lock()
	j.closing = true
	err := j.pipe.Close()
	j.mu.Unlock()
	if ended := <-j.ended; ended != nil {
		return fmt.Errorf("the janitor failed, processes or files may be left behind: %w", ended)
	}
	if err != nil {
		return fmt.Errorf("close the janitor's pipe: %w", err)
	}
	return nil
}

// RunJanitor is the janitor's whole life: wait for the end of stdin, then clean up.
func RunJanitor(stdin io.Reader, scratch string) error {
	// Whatever ends the run must not end the janitor first.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGPIPE)
	if _, err := io.Copy(io.Discard, stdin); err != nil {
		return fmt.Errorf("wait for the end of the run: %w", err)
	}
	return sweep(scratch)
}

// sweep kills the run's processes until none is left. Then it removes the scratch directory.
func sweep(scratch string) error {
	if !strings.HasPrefix(filepath.Base(scratch), "lockbench-") {
		return fmt.Errorf("refuse to remove %q: it is no scratch directory", scratch)
	}
	deadline := time.Now().Add(10 * time.Second)
	left := newShared()
	for {
		pids, err := workingBelow(scratch)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v in %s survive SIGKILL", pids, scratch)
		}
		for _, pid := range pids {
			left.stopAndAdd(pid)
			switch err := syscall.Kill(pid, syscall.SIGKILL); {
			case err == nil, errors.Is(err, syscall.ESRCH):
			case errors.Is(err, syscall.EPERM): // the number may belong to somebody else by now: the next list tells
			default:
				return fmt.Errorf("kill process %d in %s: %w", pid, scratch, err)
			}
		}
		time.Sleep(5 * time.Millisecond) // the kernel announces the end of somebody else's child to nobody
	}
	errs := []error{left.remove(), removeSegments(scratch)}
	if err := os.RemoveAll(scratch); err != nil {
		errs = append(errs, fmt.Errorf("remove the scratch directory: %w", err))
	}
	return errors.Join(errs...)
}

// workingBelow lists the processes whose working directory lies in dir. These are all processes of the run: children
// inherit the directory, and no server leaves it. A list of process numbers could be torn by a crash. A process that
// has a terminal is left out: it is somebody's shell, since the run's processes have no terminal. So is a process of
// another user, who may enter the directory and need not mean the run well.
func workingBelow(dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	users, err := runUsers(dir)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if user, ok := realUser(e.Name()); !ok || !users[user.UID] {
			continue
		}
		if !worksBelow(e.Name(), dir) {
			continue
		}
		if stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat")); err == nil && deadOrOnTerminal(stat) {
			continue
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// runUsers are the users as whom processes of the run may run: this one, and the owners of the directories in scratch,
// where only this user can make any.
func runUsers(scratch string) (map[uint32]bool, error) {
	users := map[uint32]bool{uint32(os.Geteuid()): true}
	entries, err := os.ReadDir(scratch)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("list the run's directories: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // it was removed meanwhile
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			users[stat.Uid] = true
		}
	}
	return users, nil
}

// realUser is the user who started a process; !ok: it is gone. A program can run with the rights of another user.
func realUser(pid string) (user provision.User, ok bool) {
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return user, false
	}
	found := 0
	for line := range bytes.Lines(status) {
		var effective, saved, files uint32 // behind the real one
		for key, id := range map[string]*uint32{"Uid:": &user.UID, "Gid:": &user.GID} {
			if !bytes.HasPrefix(line, []byte(key)) {
				continue
			}
			if n, err := fmt.Sscanf(string(line), key+" %d %d %d %d", id, &effective, &saved, &files); err == nil && n == 4 {
				found++
			}
		}
	}
	return user, found == 2
}

// worksBelow reports whether a process works in dir. In a container, root may not read that of a process of another
// user. Such a server names the scratch directory in its command line, which everybody may read.
func worksBelow(pid, dir string) bool {
	cwd, err := os.Readlink(filepath.Join("/proc", pid, "cwd"))
	if err == nil {
		cwd = strings.TrimSuffix(cwd, " (deleted)")
		return cwd == dir || strings.HasPrefix(cwd, dir+"/")
	}
	if !errors.Is(err, os.ErrPermission) {
		return false // gone
	}
	cmdline, err := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	return err == nil && names(cmdline, filepath.Base(dir))
}

// names reports whether a text has the name of a scratch directory in it, and not as the begin of a longer one.
func names(text []byte, scratch string) bool {
	for at := 0; ; at += len(scratch) {
		i := bytes.Index(text[at:], []byte(scratch))
		if i < 0 {
			return false
		}
		at += i
		if end := at + len(scratch); end == len(text) || text[end] < '0' || text[end] > '9' {
			return true
		}
	}
}

// deadOrOnTerminal reads /proc/PID/stat: the state is field 3, the terminal field 7 (proc_pid_stat(5)).
func deadOrOnTerminal(stat []byte) bool {
	name := bytes.LastIndexByte(stat, ')') // which may hold parentheses itself
	if name < 0 {
		return false
	}
	fields := bytes.Fields(stat[name+1:])
	return len(fields) > 4 && (fields[0][0] == 'Z' || string(fields[4]) != "0")
}
