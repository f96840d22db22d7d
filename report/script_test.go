package report

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/history"
)

// ops reads a history written by hand. Each line says when, in milliseconds, who (process p1 is of client c1, as are p11 and
// p21) and what:
//
//	10 p1 ask x              30 p1 release            0 nemesis phase calm
//	20 p1 ok                 30 p1 abandon            5 nemesis end calm
//	20 p1 fail some words    30 p1 info some words    7 nemesis strike c2, struck c2, jump c2, jumped c2, heal c2, healed c2, kill c2
func ops(t testing.TB, text string) []history.Op {
	t.Helper()
	var all []history.Op
	last := map[int64]*history.Op{} // the last ask of each process
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		at, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		words := strings.Join(fields[3:], " ")
		add := func(op history.Op) {
			op.Index, op.Time = int64(len(all)), at*milli
			all = append(all, op)
		}
		if fields[1] == "nemesis" {
			add(nemesisOp(t, fields[2], words))
			continue
		}
		process, err := strconv.ParseInt(strings.TrimPrefix(fields[1], "p"), 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		op := history.Op{Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.Invoke, F: history.Acquire, Lock: words, Grant: 1}
		asked := last[process]
		if fields[2] == "ask" {
			if asked != nil {
				op.Grant = asked.Grant + 1
			}
			last[process] = &op
			add(op)
			continue
		}
		done := *asked
		switch fields[2] {
		case "ok", "fail", "info":
			done.Type, done.Error = history.Type(fields[2]), words
			add(done)
		case "release", "abandon": // of the last one, or of the lock that it names
			if words != "" && words != done.Lock {
				done.Grant, done.Lock = done.Grant-1, words
			}
			done.F, done.Type = fields[2], history.OK
			if fields[2] == "release" {
				begun := done
				begun.Type = history.Invoke
				add(begun)
			}
			add(done)
		default:
			t.Fatalf("what is %q?", line)
		}
	}
	return all
}

func nemesisOp(t testing.TB, word, value string) history.Op {
	t.Helper()
	op := history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: history.Invoke, Value: value}
	switch word {
	case "phase":
		op.F = history.Phase
	case "end":
		op.F, op.Type = history.Phase, history.OK
	case "strike":
		op.F = "partition"
	case "struck":
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
		op.F, op.Client, op.Value = history.Kill, value, ""
	default:
		t.Fatalf("what does the nemesis do? %q", word)
	}
	return op
}

// holdsOf takes a history apart that must be well-formed.
func holdsOf(t testing.TB, ops []history.Op) []checker.Hold {
	t.Helper()
	h, err := history.Parse(ops)
	if err != nil {
		t.Fatal(err)
	}
	return checker.Holds(h)
}
