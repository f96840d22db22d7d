package clocks

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain runs one of the children that tests skew, if the test program was started again as one.
func TestMain(m *testing.M) {
	child := map[string]func() error{
		"clock-child":  func() error { return answerClocks(os.Stdin, os.Stdout) },
		"spin-child":   func() error { return spin(os.Stdin) },
		"cost-child":   func() error { return measureReads(os.Stdin, os.Stdout) },
		"unprivileged": skewOwnChild,
	}[strings.Join(os.Args[1:], " ")]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// tolerance is for what is not read in one moment: far more than that takes, and far below every offset that is
// tried.
const tolerance = 5 * time.Minute

func needClocks(t testing.TB) {
	t.Helper()
	if err := Probe(); err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: %v", err)
	}
}

// trueTime reads a clock by a system call, which no skew reaches.
func trueTime(clock int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic(err) // both clocks exist since Linux 2.6
	}
	return time.Duration(ts.Nano())
}

// perlClocks answers every line with time, gettimeofday, CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC in
// seconds. After the line "fork" a child does, which was born then.
const perlClocks = `use Time::HiRes qw(clock_gettime); $| = 1;
while (<STDIN>) {
	if (/fork/ and $pid = fork) { waitpid $pid, 0; exit }
	printf "%d %.6f %.6f %.6f %.6f\n", time, scalar Time::HiRes::gettimeofday, clock_gettime(0), clock_gettime(5), clock_gettime(1);
}`

// answerClocks is perlClocks for the runtime of Go, which calls clock_gettime alone: wall time, then monotonic time.
func answerClocks(r io.Reader, w io.Writer) error {
	start, startTrue := time.Now(), trueTime(unix.CLOCK_MONOTONIC)
	for lines := bufio.NewScanner(r); lines.Scan(); {
		now := time.Now()
		monotonic := startTrue + now.Sub(start)
		if _, err := fmt.Fprintf(w, "%.6f %.6f\n", float64(now.Unix())+float64(now.Nanosecond())/1e9, monotonic.Seconds()); err != nil {
			return err
		}
	}
	return nil
}

// child is a process that answers lines.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startChild(name string, args ...string) (*child, error) {
	c := &child{cmd: exec.Command(name, args...)}
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.out = in, bufio.NewReader(out)
	return c, c.cmd.Start()
}

func goChild(t testing.TB, command string) *child { return started(t, "/proc/self/exe", command) }
func perlChild(t testing.TB, program string) *child {
	if _, err := exec.LookPath("perl"); err != nil {
		t.Skipf("SKIPPED, NOT PROVEN: no perl, which calls what libc programs call: %v", err)
	}
	return started(t, "perl", "-e", program)
}

// started starts a child that answers already, and ends it with the test.
func started(t testing.TB, name string, args ...string) *child {
	t.Helper()
	c, err := startChild(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.end(); err != nil {
			t.Errorf("the child crashed: %v", err)
		}
	})
	return c
}

// end lets the child end by itself, and says what it died of if it does not.
func (c *child) end() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) ask(line string) (string, error) {
	if _, err := io.WriteString(c.in, line+"\n"); err != nil {
		return "", err
	}
	answer, err := c.out.ReadString('\n')
	return strings.TrimSpace(answer), err
}

// precise is how exactly a child prints a time, late how far behind a clock may be that counts in seconds or ticks.
const (
	precise = 20 * time.Microsecond
	late    = 2 * time.Second
)

// slack tells for each clock of an answer how far it may be from the time between question and answer.
func slack(clocks int) [][2]time.Duration {
	if clocks == 2 { // answerClocks
		return [][2]time.Duration{{precise, precise}, {tolerance, tolerance}}
	}
	return [][2]time.Duration{{late, precise}, {precise, precise}, {precise, precise}, {late, precise}, {precise, precise}}
}

// check asks the child for its clocks: the last is monotonic, and all others must be ahead of the true one by the
// offset.
func (c *child) check(line string, offset time.Duration) error {
	wall, monotonic := trueTime(unix.CLOCK_REALTIME), trueTime(unix.CLOCK_MONOTONIC)
	answer, err := c.ask(line)
	if err != nil {
		return err
	}
	wallAfter, monotonicAfter := trueTime(unix.CLOCK_REALTIME), trueTime(unix.CLOCK_MONOTONIC)
	fields := strings.Fields(answer)
	if len(fields) != 2 && len(fields) != 5 {
		return fmt.Errorf("the child answers %q", answer)
	}
	for i, s := range slack(len(fields)) {
		got, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return err
		}
		first, last := wall.Seconds()+offset.Seconds(), wallAfter.Seconds()+offset.Seconds()
		if i == len(fields)-1 {
			first, last = monotonic.Seconds(), monotonicAfter.Seconds()
		}
		if got < first-s[0].Seconds() || got > last+s[1].Seconds() {
			return fmt.Errorf("clock %d of %q is not between %f and %f, as an offset of %v makes it", i, answer, first, last, offset)
		}
	}
	return nil
}
