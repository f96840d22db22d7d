package history

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// script turns lines "time client process f type grant[.request] [key=number…]" into ops of the lock "l".
func script(t *testing.T, lines string) []Op {
	t.Helper()
	var ops []Op
	number := func(s string) uint64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return uint64(n)
	}
	for _, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		w := strings.Fields(line)
		op := Op{
			Index: int64(len(ops)), Time: int64(number(w[0])), Client: w[1], Process: int64(number(w[2])), F: w[3], Type: Type(w[4]), Lock: "l",
		}
		grant, request, ok := strings.Cut(w[5], ".")
		op.Grant = int64(number(grant))
		if ok {
			op.Request = int64(number(request))
		}
		for _, o := range w[6:] {
			key, value, _ := strings.Cut(o, "=")
			switch key {
			case "lock":
				op.Lock = value
			case "index":
				op.Index = int64(number(value))
			case "seq":
				op.Seq = number(value)
			case "version":
				op.Version = Some(number(value))
			case "base":
				op.Base = Some(number(value))
			case "token":
				op.Token = Some(number(value))
			default:
				t.Fatalf("unknown %q", o)
			}
		}
		ops = append(ops, op)
	}
	return ops
}

const granted = `
	1 c1 0 acquire invoke 1
	2 c1 0 acquire ok 1 token=7`

// written goes on from granted.
const written = granted + `
	3 c1 0 write invoke 1.1 base=0 token=7
	4 c1 0 write apply 1.1 seq=1 version=1 base=0 token=7
	5 c1 0 write ok 1.1 version=1`

func TestParseAccepts(t *testing.T) {
	for name, lines := range map[string]string{
		"a call that never ends": granted + "\n 3 c1 0 read invoke 1.1",
		"a failed acquire, then another": `
			1 c1 0 acquire invoke 1
			2 c1 0 acquire fail 1
			3 c1 0 acquire invoke 2`,
		"abandon after info": granted + `
			3 c1 0 read invoke 1.1
			4 c1 0 read info 1.1
			5 c1 0 abandon ok 1
			6 c1 1 acquire invoke 1`,
		"abandon and lost while a call is open": granted + `
			3 c1 0 read invoke 1.1
			4 c1 0 lost ok 1
			5 c1 0 abandon ok 1`,
		"a request that is served after its worker gave up": granted + `
			3 c1 0 write invoke 1.1 base=0
			4 c1 0 write info 1.1
			5 c1 0 abandon ok 1
			9 c1 0 write apply 1.1 seq=1 version=1`,
		"a request that was served and not answered": granted + `
			3 c1 0 write invoke 1.1 base=0
			4 c1 0 write apply 1.1 seq=1 version=1`,
		"a fail of a request that was refused": granted + `
			3 c1 0 write invoke 1.1 base=0
			4 c1 0 write reject 1.1 seq=1
			5 c1 0 write fail 1.1`,
		"a fail of a request that never left": granted + `
			3 c1 0 write invoke 1.1 base=0
			5 c1 0 write fail 1.1`,
		"a write in the lock's transaction": granted + `
			3 c1 0 write invoke 1.1 base=0
			4 c1 0 release invoke 1
			5 c1 0 write ok 1.1 version=1
			6 c1 0 release ok 1
			7 c1 0 write apply 1.1 seq=1 version=1
			8 c1 0 acquire invoke 2`,
		"its commit in doubt": granted + `
			3 c1 0 write invoke 1.1 base=0
			4 c1 0 release invoke 1
			5 c1 0 write info 1.1
			6 c1 0 release info 1
			7 c1 0 abandon ok 1`,
		"the resource's line before the worker's": `
			3 c1 0 write apply 1.1 seq=1 version=1
			1 c1 0 acquire invoke 1
			2 c1 0 acquire ok 1
			3 c1 0 write invoke 1.1 base=0`,
		"gaps in all numbers": `
			1 c1 0 acquire invoke 4 index=3
			2 c1 0 acquire ok 4 index=9
			3 c1 0 read invoke 4.2 index=10
			4 c1 0 read apply 4.2 seq=5 version=0 index=11
			5 c1 0 read ok 4.2 index=14`,
		"two grants at once": granted + `
			3 c1 0 acquire invoke 2 lock=m
			4 c1 0 acquire ok 2 lock=m
			5 c1 0 read invoke 1.1
			6 c1 0 read fail 1.1
			7 c1 0 release invoke 2 lock=m`,
		"a kill, and lines a moment later": granted + `
			3 c1 -1 kill invoke 0
			4 c1 0 release invoke 1`,
		"versions of two locks": written + `
			6 c1 0 acquire invoke 2 lock=m
			7 c1 0 acquire ok 2 lock=m
			8 c1 0 write invoke 2.1 base=0 lock=m
			9 c1 0 write apply 2.1 seq=2 version=1 lock=m`,
	} {
		if _, err := Parse(script(t, lines)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, lines string
		line        int
		says        string
	}{
		{"ok without invoke", "1 c1 0 acquire ok 1", 1, "without an invoke"},
		{"info without invoke", granted + "\n 3 c1 0 acquire info 1", 3, "without an invoke"},
		{"fail of another call", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 write fail 1.1", 4, "does not end the call"},
		{"ok of another grant", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire ok 2", 2, "does not end the call"},
		{"ok of another request", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 read fail 1.2", 4, "does not end the call"},
		{"ok of another lock", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire ok 1 lock=m", 2, "does not end the call"},
		{"two open calls", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire invoke 2", 2, "while its call of line 1 is open"},
		{"a release while a read is open", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 release invoke 1", 4, "while its call of line 3 is open"},
		{"a release of another grant than the open write's", written + "\n 6 c1 0 acquire invoke 2\n 7 c1 0 acquire ok 2\n 8 c1 0 write invoke 2.1 base=1\n 9 c1 0 release invoke 1", 9, "while its call of line 8 is open"},
		{"two releases while a write is open", granted + "\n 3 c1 0 write invoke 1.1 base=0\n 4 c1 0 release invoke 1\n 5 c1 0 release invoke 1", 5, "is open"},
		{"an acquire while a write is open", granted + "\n 3 c1 0 write invoke 1.1 base=0\n 4 c1 0 release invoke 1\n 5 c1 0 release ok 1\n 6 c1 0 acquire invoke 2", 6, "while its call of line 3 is open"},
		{"a call after info", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire info 1\n 3 c1 0 acquire invoke 2", 3, "new process number"},
		{"time goes back", "5 c1 0 acquire invoke 1\n 4 c1 0 acquire ok 1", 2, "time 4 goes back"},
		{"time of the nemesis goes back", "5 nemesis -1 partition invoke 0\n 4 nemesis -1 partition ok 0", 2, "time 4 goes back"},
		{"a process of two clients", "1 c1 0 acquire invoke 1\n 2 c2 0 acquire ok 1", 2, "belongs to client c1"},
		{"index goes back", "1 c1 0 acquire invoke 1 index=4\n 2 c1 0 acquire ok 1 index=4", 2, "index 4 does not follow 4"},
		{"grant number twice", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire fail 1\n 3 c1 0 acquire invoke 1", 3, "grant 1 of process 0"},
		{"request number twice", written + "\n 6 c1 0 read invoke 1.1", 6, "request 1 of grant 1"},
		{"request of a grant never asked for", granted + "\n 3 c1 0 read invoke 2.1", 3, "never asked for"},
		{"request of another process's grant", granted + "\n 3 c1 1 read invoke 1.1", 3, "never asked for"},
		{"request of a failed acquire", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire fail 1\n 3 c1 0 read invoke 1.1", 3, "not granted"},
		{"release of a failed acquire", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire fail 1\n 3 c1 0 release invoke 1", 3, "not granted"},
		{"abandon of an unknown acquire", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire info 1\n 3 c1 0 abandon ok 1", 3, "not granted"},
		{"request of another lock", granted + "\n 3 c1 0 read invoke 1.1 lock=m", 3, "is of lock l"},
		{"request after abandon", granted + "\n 3 c1 0 abandon ok 1\n 4 c1 0 read invoke 1.1", 4, "abandoned on line 3"},
		{"request with a foreign token", granted + "\n 3 c1 0 read invoke 1.1 token=8", 3, "token 8"},
		{"request with a made-up token", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire ok 1\n 3 c1 0 read invoke 1.1 token=0", 3, "token 0"},
		{"apply with another token", granted + "\n 3 c1 0 read invoke 1.1 token=7\n 4 c1 0 read apply 1.1 seq=1 version=0 token=6", 4, "token 6"},
		{"apply with another base", granted + "\n 3 c1 0 write invoke 1.1 base=0\n 4 c1 0 write apply 1.1 seq=1 version=1 base=1", 4, "base 1"},
		{"apply of nothing", granted + "\n 4 c1 0 read apply 1.1 seq=1 version=0", 3, "never invoked"},
		{"apply of the other function", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 write apply 1.1 seq=1 version=1", 4, "never invoked"},
		{"apply for another client", granted + "\n 3 c1 0 read invoke 1.1\n 4 c2 0 read apply 1.1 seq=1 version=0", 4, "client c2 has no process 0"},
		{"apply for an unknown process", granted + "\n 4 c2 9 read apply 1.1 seq=1 version=0", 3, "client c2 has no process 9"},
		{"applied twice", written + "\n 6 c1 0 write apply 1.1 seq=2 version=2", 6, "line 4 already"},
		{"seq twice", written + "\n 6 c1 0 read invoke 1.2\n 7 c1 0 read apply 1.2 seq=1 version=1", 7, "seq 1 does not follow 1"},
		{"a write that leaves the version", granted + "\n 3 c1 0 write invoke 1.1 base=0\n 4 c1 0 write apply 1.1 seq=1 version=0", 4, "version 0"},
		{"a version that skips one", granted + "\n 3 c1 0 write invoke 1.1 base=0\n 4 c1 0 write apply 1.1 seq=1 version=2", 4, "version 2"},
		{"a read that moves the version", written + "\n 6 c1 0 read invoke 1.2\n 7 c1 0 read apply 1.2 seq=2 version=2", 7, "version 2"},
		{"a base from the future", granted + "\n 3 c1 0 write invoke 1.1 base=1\n 4 c1 0 write apply 1.1 seq=1 version=1", 4, "nobody can have read it"},
		{"ok of what was never served", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 read ok 1.1", 4, "no line of the resource"},
		{"ok of what was refused", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 read reject 1.1 seq=1\n 5 c1 0 read ok 1.1", 5, "rejected the request on line 4"},
		{"fail of what was served", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 read apply 1.1 seq=1 version=0\n 5 c1 0 read fail 1.1", 5, "served the request on line 4"},
		{"ok with another version", granted + "\n 3 c1 0 read invoke 1.1\n 4 c1 0 read apply 1.1 seq=1 version=0\n 5 c1 0 read ok 1.1 version=1", 5, "version 1"},
		{"a second end of a call", granted + "\n 3 c1 0 acquire ok 1", 3, "without an invoke"},
		{"an end after info", "1 c1 0 acquire invoke 1\n 2 c1 0 acquire info 1\n 3 c1 0 acquire ok 1", 3, "without an invoke"},
		{"ok of a release without an invoke", granted + "\n 3 c1 0 release ok 1", 3, "without an invoke"},
		{"ok of another grant's release", granted + "\n 3 c1 0 release invoke 1\n 4 c1 0 release ok 2", 4, "does not end the call"},
		{"lost of a grant never asked for", granted + "\n 3 c1 0 lost ok 2", 3, "never asked for"},
		{"lost before the grant", "1 c1 0 acquire invoke 1\n 2 c1 0 lost ok 1", 2, "not granted"},
		{"a reject that moves the version", granted + "\n 3 c1 0 write invoke 1.1 base=0\n 4 c1 0 write reject 1.1 seq=1 version=1", 4, "version 1"},
		{"a request both served and refused", written + "\n 6 c1 0 write reject 1.1 seq=2", 6, "line 4 already"},
		{"a line that cannot be", granted + "\n 3 c1 0 acquire apply 1", 3, `type "apply" does not fit`},
	} {
		_, err := Parse(script(t, tt.lines))
		var at *LineError
		if !errors.As(err, &at) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want …%s…", tt.name, err, tt.says)
		} else if at.Line != tt.line {
			t.Errorf("%s: got %v, want line %d", tt.name, err, tt.line)
		}
	}
}

// TestReadAll holds that a history whose lines do not fit together is refused with its line.
func TestReadAll(t *testing.T) {
	var text []byte
	for _, op := range script(t, written) {
		text = AppendLine(text, &op)
	}
	ops, err := ReadAll(strings.NewReader(string(text)))
	if err != nil || len(ops) != 5 {
		t.Errorf("%d ops, %v", len(ops), err)
	}
	var at *LineError
	if _, err := ReadAll(strings.NewReader(string(text) + line1 + "\n")); !errors.As(err, &at) || at.Line != 6 {
		t.Errorf("got %v", err)
	}
	if _, err := ReadAll(strings.NewReader(string(text) + "{")); !errors.As(err, &at) || at.Line != 6 {
		t.Errorf("got %v", err)
	}
}
