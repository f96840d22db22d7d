package main

import (
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// terminal is a window in which a process runs.
type terminal struct {
	*process
	master *os.File
	before *unix.Termios

	mu   sync.Mutex
	vt   vt10x.Terminal
	read chan struct{} // closed when there is nothing more to read
}

// open starts the process in a window of its own.
func (p *process) open(width, height int) *terminal {
	p.t.Helper()
	p.Stdout, p.Stderr = nil, nil
	p.Env = append(p.Env, "TERM=xterm")
	master, slave, err := pty.Open()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { master.Close() })
	w := &terminal{process: p, master: master, vt: vt10x.New(vt10x.WithSize(width, height)), read: make(chan struct{})}
	w.before = w.mode()
	if err := pty.Setsize(master, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}); err != nil {
		p.t.Fatal(err)
	}
	p.Stdin, p.Stdout, p.Stderr = slave, slave, slave
	p.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
	slave.Close()
	go w.follow()
	return w
}

// mode is how the terminal treats what is typed and written.
func (w *terminal) mode() *unix.Termios {
	w.t.Helper()
	m, err := unix.IoctlGetTermios(int(w.master.Fd()), unix.TCGETS)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *terminal) follow() {
	defer close(w.read)
	b := make([]byte, 4096)
	for {
		n, err := w.master.Read(b)
		w.mu.Lock()
		w.vt.Write(b[:n])
		w.mu.Unlock()
		if err != nil { // EIO: nobody has it open any more
			return
		}
	}
}

// screen is what stands in the window.
func (w *terminal) screen() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.vt.String()
}

func (w *terminal) resize(width, height int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := pty.Setsize(w.master, &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}); err != nil {
		w.t.Fatal(err)
	}
	w.vt.Resize(width, height)
}

func (w *terminal) shows(what string) {
	w.t.Helper()
	must.Eventually(w.t, "the terminal shows "+what, func() bool { return strings.Contains(w.screen(), what) })
}

// left checks what the process left behind: the terminal's mode, a cursor that is seen at the begin of a line, and
// nothing of the display.
func (w *terminal) left() {
	w.t.Helper()
	<-w.read
	if after := w.mode(); *after != *w.before {
		w.t.Errorf("the terminal's mode is %+v, and was %+v", after, w.before)
	}
	if c := w.vt.Cursor(); c.X != 0 || !w.vt.CursorVisible() || w.vt.Mode()&vt10x.ModeAltScreen != 0 {
		w.t.Errorf("the cursor is at %d, visible: %v; modes %b", c.X, w.vt.CursorVisible(), w.vt.Mode())
	}
	if s := w.screen(); strings.Contains(s, " elapsed") {
		w.t.Errorf("the display is still there:\n%s", s)
	}
}

// Colours and width are those of the terminal, unless somebody says otherwise.
func TestTextAtATerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	if err := pty.Setsize(slave, &pty.Winsize{Cols: 73, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		term, noColor, flag string
		want                bool
	}{
		{"xterm", "", "auto", true}, {"xterm", "1", "auto", false}, {"dumb", "", "auto", false}, {"xterm", "", "never", false},
		{"dumb", "1", "always", true},
	} {
		t.Setenv("TERM", tt.term)
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("COLUMNS", "60") // less than what the terminal says
		root := newRootCommand()
		root.SetOut(slave)
		if err := root.PersistentFlags().Set("color", tt.flag); err != nil {
			t.Fatal(err)
		}
		if got := textOptions(root); got.Color != tt.want || got.Width != 73 {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

// TestTerminal runs etcd to its end.
func TestTerminal(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--driver", "etcd", "--scenario", write(t, "quiet.yaml", quiet))
	p.Args = append(p.Args, "--out", p.out)
	w := p.open(80, 200)
	code := p.exitCode()
	w.left()
	s := w.screen()
	if code != exitValid || !strings.HasPrefix(s, "lockbench: scenario quiet, seed ") || !strings.Contains(s, "\netcd.unfenced.heeding: complete after ") || !strings.Contains(s, "The page is") {
		t.Errorf("exit code %d, and the terminal shows\n%s", code, s)
	}
	p.nothingLeft()
}

// TestInterruptAtTheTerminal cuts the holder for as long as it takes to look at it in a window that is made smaller and
// larger, and types Ctrl-C.
func TestInterruptAtTheTerminal(t *testing.T) {
	t.Parallel()
	p := start(t, "run", "--driver", "etcd", "--scenario", write(t, "cut.yaml", strings.Replace(quiet, "for: 100ms}]", "for: 1h, faults: [{name: partition, target: holder}]}]", 1)))
	p.Args = append(p.Args, "--out", p.out)
	w := p.open(100, 200)
	w.shows("etcd: still ")
	w.shows(" grants/s, ")
	w.shows(", partition holder: c")
	w.resize(30, 200)
	w.shows("…") // too narrow for all of it
	w.resize(132, 200)
	w.shows(", partition holder: c")
	if n := strings.Count(w.screen(), " elapsed"); n > 1 {
		t.Errorf("%d status lines are there:\n%s", n, w.screen())
	}
	if _, err := io.WriteString(w.master, "\x03"); err != nil {
		t.Fatal(err)
	}
	code := p.exitCode()
	w.left()
	if s := w.screen(); code != exitInterrupted || !strings.Contains(s, "interrupted: faults are being healed") || strings.Contains(s, "^C") {
		t.Errorf("exit code %d, and the terminal shows\n%s", code, s)
	}
	p.nothingLeft()
}
