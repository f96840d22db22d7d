package histories

import (
	"hash/crc32"
	"strconv"
	"time"

	"github.com/lockbench/lockbench/checker/history"
)

const (
	micro = int64(time.Microsecond)
	milli = int64(time.Millisecond)
	sec   = int64(time.Second)
)

// Script writes a history; each process makes one acquire after another.
type Script struct {
	Ops    []history.Op
	grants map[int64]int64
}

func (s *Script) Nemesis(at int64, typ history.Type, f, value string) {
	op := history.Op{Time: at, Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f}
	if f == history.Phase {
		op.Phase = value
	} else if value != "" {
		op.Fault = FaultOn(value)
	}
	s.Ops = append(s.Ops, op)
}

func (s *Script) Phase(begin, end int64, name string, inside func()) {
	s.Nemesis(begin, history.Invoke, history.Phase, name)
	inside()
	s.Nemesis(end, history.OK, history.Phase, name)
}

// fault is in force from just after the one time to the other.
func (s *Script) Fault(from, to int64, value string, during, after func()) {
	s.Nemesis(from-micro, history.Invoke, "partition", value)
	s.Nemesis(from, history.OK, "partition", value)
	during()
	s.Nemesis(to, history.Invoke, history.Heal, value)
	s.Nemesis(to+micro, history.OK, history.Heal, value)
	after()
}

// acquire is asked for at one time and ends so at another; an empty outcome never ends.
func (s *Script) Acquire(process, at, end int64, outcome history.Type) {
	if s.grants == nil {
		s.grants = map[int64]int64{}
	}
	s.grants[process]++
	op := history.Op{Time: at, Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.Invoke, F: history.Acquire, Lock: "lock-1", Grant: s.grants[process]}
	s.Ops = append(s.Ops, op)
	if outcome != "" {
		op.Time, op.Type = end, outcome
		s.Ops = append(s.Ops, op)
	}
}

// release gives a process's newest grant back.
func (s *Script) Release(process, at int64) {
	s.Ops = append(s.Ops, history.Op{
		Time: at, Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.Invoke, F: history.Release, Lock: "lock-1", Grant: s.grants[process],
	}, history.Op{
		Time: at + 1, Client: "c" + strconv.FormatInt(process%10, 10), Process: process, Type: history.OK, F: history.Release, Lock: "lock-1", Grant: s.grants[process],
	})
}

// FaultOn is a fault on that target, which always has the same step.
func FaultOn(target string) *history.Fault {
	return &history.Fault{Step: 1 + int(crc32.ChecksumIEEE([]byte(target))>>16), Role: target}
}
