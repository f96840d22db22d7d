package checker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lockbench/lockbench/internal/history"
)

// lockServer is a lock in memory, right but for what is planted in it.
type lockServer struct {
	bug     string
	holder  int // -1: nobody
	token   uint64
	granted int
}

func (s *lockServer) acquire(client int) (token uint64, ok bool) {
	twice := s.bug == "grants twice" && s.granted%10 == 9
	if s.holder >= 0 && !twice {
		return 0, false
	}
	s.holder = client
	s.granted++
	if s.bug != "reuses a token" || s.granted%10 != 0 {
		s.token++
	}
	return s.token, true
}

func (s *lockServer) release(client int) {
	if s.holder == client && (s.bug != "forgets a release" || s.granted < 30) {
		s.holder = -1
	}
}

// runPlanted lets clients use the lock in random turns, reading and writing as they hold it. In the middle a fault
// is healed.
func runPlanted(bug string, seed uint64) []history.Op {
	const clients = 4
	random := rand.New(rand.NewPCG(seed, 1))
	s := &lockServer{bug: bug, holder: -1}
	var ops []history.Op
	var now int64
	var seq, version uint64
	type state struct {
		step  int
		grant int64
		token history.Uint
		base  uint64
	}
	var all [clients]state
	record := func(op history.Op) {
		now++
		op.Index, op.Time = int64(len(ops)), now
		ops = append(ops, op)
	}
	nemesis := func(typ history.Type, f string) {
		record(history.Op{Client: "nemesis", Process: history.NemesisProcess, Type: typ, F: f, Value: "n1"})
	}
	for turn := range 4000 {
		switch turn {
		case 1000:
			nemesis(history.Invoke, "partition")
		case 1100:
			nemesis(history.Invoke, history.Heal)
			nemesis(history.OK, history.Heal)
		}
		i := random.IntN(clients)
		c := &all[i]
		write := func(typ history.Type, f string, request int64) {
			op := history.Op{Client: fmt.Sprintf("c%d", i+1), Process: int64(i), Type: typ, F: f, Lock: "l", Grant: c.grant, Request: request}
			if request > 0 || f == history.Acquire && typ == history.OK {
				op.Token = c.token
			}
			if f == history.Write {
				op.Base = history.Some(c.base)
			}
			if typ == history.Apply {
				seq++
				if f == history.Write {
					version++
				}
				op.Seq, op.Version = seq, history.Some(version)
			}
			record(op)
		}
		request := func(f string, n int64) {
			write(history.Invoke, f, n)
			write(history.Apply, f, n)
			write(history.OK, f, n)
		}
		switch c.step {
		case 0:
			c.grant++
			write(history.Invoke, history.Acquire, 0)
			token, ok := s.acquire(i)
			if !ok {
				write(history.Fail, history.Acquire, 0)
				continue
			}
			c.token = history.Some(token)
			write(history.OK, history.Acquire, 0)
		case 1:
			request(history.Read, 1)
			c.base = version
		case 2:
			request(history.Write, 2)
		case 3:
			write(history.Invoke, history.Release, 0)
			s.release(i)
			write(history.OK, history.Release, 0)
		}
		c.step = (c.step + 1) % 4
	}
	return ops
}

// TestPlantedBugs convicts each bug of what it did, and of nothing else where it did nothing else.
func TestPlantedBugs(t *testing.T) {
	opt := Options{StuckAfter: 500, MinGrants: 10, MinAttempts: 1}
	for seed := range uint64(20) {
		if r := check(t, runPlanted("", seed), opt); r.Exclusion.Verdict != Valid || r.Data.Verdict != Valid || r.Liveness.Verdict != Valid {
			t.Fatalf("seed %d: a right lock was convicted: %+v", seed, r)
		}
		r := check(t, runPlanted("grants twice", seed), opt)
		if r.Exclusion.Verdict != Invalid || r.Counts.Overlap == 0 || r.Counts.TokenRegression != 0 || len(r.Incidents) == 0 {
			t.Fatalf("seed %d: a lock that grants twice: %+v", seed, r)
		}
		r = check(t, runPlanted("reuses a token", seed), opt)
		if r.Exclusion.Verdict != Invalid || r.Counts.TokenRegression != r.Counts.Grants/10 || r.Counts.Overlap != 0 || r.Data.Verdict != Valid {
			t.Fatalf("seed %d: a lock that reuses a token: %+v", seed, r)
		}
		r = check(t, runPlanted("forgets a release", seed), opt)
		if r.Liveness.Verdict != Invalid || r.Counts.StuckLock != 1 || r.Exclusion.Verdict == Invalid {
			t.Fatalf("seed %d: a lock that forgets a release: %+v", seed, r)
		}
	}
}

// BenchmarkCheck judges the histories of locks that grant twice now and then.
func BenchmarkCheck(b *testing.B) {
	var ops []history.Op
	for seed := range uint64(50) {
		run := runPlanted("grants twice", seed)
		for i := range run { // each run has locks and workers of its own, and follows the one before it
			op := &run[i]
			op.Index, op.Time = int64(len(ops)+i), op.Time+int64(seed)<<20
			if op.Process >= 0 {
				op.Process += int64(seed) * 4
				op.Lock = fmt.Sprintf("l%d", seed)
			}
			if op.Seq > 0 {
				op.Seq += seed << 20
			}
		}
		ops = append(ops, run...)
	}
	for b.Loop() {
		if _, err := Check(ops, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(ops))/b.Elapsed().Seconds(), "lines/s")
}
