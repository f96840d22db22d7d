package histories

import (
	"hash/crc32"
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// Read reads a history written by hand. Each line says when, in milliseconds, who (process p1 is of client c1, as are
// p11 and p21) and what:
//
//	10 p1 ask x              30 p1 release            0 nemesis phase calm
//	20 p1 ok                 30 p1 abandon            5 nemesis end calm
//	20 p1 fail some words    30 p1 info some words    7 nemesis inject c2, injected c2, jump c2, jumped c2, heal c2, healed c2, kill c2
//
// A line with several times is as many lines: an ask, its ok and the release; inject and injected; jump and jumped;
// heal and healed:
//
//	10,20,30 p1 ask x        10,20 p1 ask x           7,8 nemesis inject c2
func Read(t testing.TB, text string) []history.Op {
	t.Helper()
	r := reader{t: t, last: map[int64]*history.Op{}}
	follows := map[string][]string{"ask": {"ok", "release"}, "inject": {"injected"}, "jump": {"jumped"}, "heal": {"healed"}}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		verb, words := fields[2], strings.Join(fields[3:], " ")
		for i, at := range strings.Split(fields[0], ",") {
			if i > 0 {
				verb = follows[fields[2]][i-1]
				if fields[1] != "nemesis" {
					words = ""
				}
			}
			r.line(at, fields[1], verb, words)
		}
	}
	return r.ops
}

type reader struct {
	t    testing.TB
	ops  []history.Op
	last map[int64]*history.Op // the last ask of each process
}

func (r *reader) line(time, who, verb, words string) {
	r.t.Helper()
	at, err := strconv.ParseInt(time, 10, 64)
	if err != nil {
		r.t.Fatalf("%s %s: %v", time, who, err)
	}
	add := func(op history.Op) {
		op.Index, op.Time = int64(len(r.ops)), at*milli
		r.ops = append(r.ops, op)
	}
	if who == "nemesis" {
		add(nemesisOp(r.t, verb, words))
		return
	}
	process, err := strconv.ParseInt(strings.TrimPrefix(who, "p"), 10, 64)
	if err != nil {
		r.t.Fatalf("%s %s: %v", time, who, err)
	}
	op := history.Op{Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.Invoke, F: history.Acquire, Lock: words, Grant: 1}
	asked := r.last[process]
	if verb == "ask" {
		if asked != nil {
			op.Grant = asked.Grant + 1
		}
		r.last[process] = &op
		add(op)
		return
	}
	done := *asked
	switch verb {
	case "ok", "fail", "info":
		done.Type, done.Error = history.Type(verb), words
		add(done)
	case "release", "abandon": // of the last one, or of the lock that it names
		if words != "" && words != done.Lock {
			done.Grant, done.Lock = done.Grant-1, words
		}
		done.F, done.Type = verb, history.OK
		if verb == "release" {
			begun := done
			begun.Type = history.Invoke
			add(begun)
		}
		add(done)
	default:
		r.t.Fatalf("what is %q?", verb)
	}
}

func nemesisOp(t testing.TB, word, value string) history.Op {
	t.Helper()
	op := history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: history.Invoke}
	if value != "" {
		op.Fault = &history.Fault{Step: 1 + int(crc32.ChecksumIEEE([]byte(value))>>16), Role: value}
	}
	switch word {
	case "phase":
		op.F, op.Phase, op.Fault = history.Phase, value, nil
	case "end":
		op.F, op.Type, op.Phase, op.Fault = history.Phase, history.OK, value, nil
	case "inject":
		op.F = "partition"
	case "injected":
		op.F, op.Type = "partition", history.OK
	case "jump":
		op.F = "clock-jump"
	case "jumped":
		op.F, op.Type = "clock-jump", history.OK
	case "heal":
		op.F = history.Heal
	case "healed":
		op.F, op.Type = history.Heal, history.OK
	case "kill":
		op.F, op.Client, op.Fault = history.Kill, value, nil
	default:
		t.Fatalf("what does the nemesis do? %q", word)
	}
	return op
}

// holdsOf takes a history apart that must be well-formed.
func Holds(t testing.TB, ops []history.Op) []checker.Hold {
	t.Helper()
	h, err := history.Parse(ops)
	if err != nil {
		t.Fatal(err)
	}
	return checker.Holds(h)
}

// Overlapping is a history in which c1 is cut off and c2 is granted the lock twice, and a third time when c1 holds it
// no more.
const Overlapping = `
	0 nemesis phase cut
	0,100 p1 ask x
	110,111 nemesis inject c1
	300,400,450 p2 ask x
	460,500,550 p2 ask x
	600,601 nemesis heal c1
	620 p1 release
	630,640,650 p2 ask x
	700,710,800 p3 ask y
	1000 nemesis end cut`

// Idle is a history in which nobody asks for anything from 118 to 900.
const Idle = `
	0 nemesis phase alone
	10,15 p1 ask x
	100 nemesis end alone
	118 p1 release
	900 nemesis phase cut
	905,925 p1 ask x
	940,941 nemesis inject c1
	970 p1 release
	980,981 nemesis heal c1
	1000 nemesis end cut`
