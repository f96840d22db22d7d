package checker

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/anishathalye/porcupine"
	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// Porcupine decides whether a history is linearizable: whether each operation can be given one instant between its
// call and its return, both included, at which it took effect, so that one after another they are what a right lock
// does. It knows nothing of the definitions of docs/history.md, and so is the judge of them here: of overlap by the
// model of a mutex, of token regression by that of a lock with fencing tokens.
//
// What it cannot say is that at equal times the lines of one process are ordered and those of two are not: its
// intervals know only times. So no two lines of a process are at the same time here; TestAgainstTheDefinitions has
// those.

// ever is when an operation returns that may take effect at any time after its call.
const ever = math.MaxInt64

// step is what an operation does to a lock.
type step struct {
	lock    string
	grant   GrantID
	release bool
	token   history.Uint
}

func operation(s step, call, ret int64) porcupine.Operation {
	return porcupine.Operation{Input: s, Call: call, Return: ret}
}

// mutexModel is a plain mutex: acquire wants it free, release wants it held by the same grant.
func mutexModel() porcupine.Model {
	return porcupine.Model{
		Partition: byLock,
		Init:      func() any { return GrantID{} }, // free: grants are numbered from 1
		Step: func(state, input, _ any) (bool, any) {
			s := input.(step)
			if s.release {
				return state == s.grant, GrantID{}
			}
			return state == GrantID{}, s.grant
		},
	}
}

// fencedModel is a lock whose holds may expire at any time, so that an acquire need not wait for a release; but
// each token is above all tokens before it. Its state is the last token, if there was one.
func fencedModel() porcupine.Model {
	return porcupine.Model{
		Partition: byLock,
		Init:      func() any { return history.Uint{} },
		Step: func(state, input, _ any) (bool, any) {
			last, s := state.(history.Uint), input.(step)
			if !s.token.Set {
				return true, last
			}
			return !last.Set || s.token.V > last.V, s.token
		},
	}
}

// byLock takes a history apart: locks have nothing to do with each other, so it is linearizable if that of each lock
// is.
func byLock(all []porcupine.Operation) [][]porcupine.Operation {
	of := map[string][]porcupine.Operation{}
	for _, op := range all {
		lock := op.Input.(step).lock
		of[lock] = append(of[lock], op)
	}
	parts := make([][]porcupine.Operation, 0, len(of))
	for _, part := range of {
		parts = append(parts, part)
	}
	return parts
}

// mutexOperations are the calls by which a lock is taken and given back, as a mutex sees them.
//
// A hold is an acquire, from its invoke to its ok, and a release, from the end of the hold on. Whatever instants are
// chosen, the mutex is held from the return of acquire to the call of release, and to choose just these two is never
// worse: so the mutex is linearizable if, and only if, the holds of the definition are apart. Calls go before returns
// at equal times, as ends go before begins.
//
//   - fail: it is proven that nothing happened. It is left out.
//   - info, or an acquire without an end: if it happened it was a grant like any other, ended by something that nobody
//     saw (a TTL, a session, a late reply that was thrown away). So it is given as an acquire and a release that may
//     take effect at any time from the invoke on. Neither can make a history worse, for both may come after everything
//     else, which is as if they had not happened; nor better, for leaving both out of an order that is right leaves
//     it right. That they never hold is thus not an opinion of our definition, but the same question.
//   - a grant to a client that was dead by then: nobody holds it, and nobody gives it back. It is the same as info.
//   - release: the lock can be free from the call on. When it returned ok it is free; after fail or info
//     it may be, at any time.
//   - abandon, a kill, a client that died of itself: the client makes no more use of it from then on, and the lock's
//     server takes it back at any time after. It is a release that does not return. Who dies of itself does so after its
//     own last line, also if that is a grant, but before what others do at that time.
//   - lost says what the client knows, and a pause stops it without its knowing: neither gives anything back.
func mutexOperations(ops []history.Op) []porcupine.Operation {
	var all []porcupine.Operation
	for _, a := range attempts(ops) {
		acquire := step{lock: a.lock, grant: a.id}
		release := acquire
		release.release = true
		g := a.granted
		switch {
		case a.failed:
		case g == nil || !g.held():
			all = append(all, operation(acquire, a.invoked, ever), operation(release, a.invoked, ever))
		default:
			all = append(all, operation(acquire, a.invoked, g.ok), operation(release, givenUp(ops, g), releasedBy(ops, g)))
		}
	}
	return all
}

// fencedOperations are the calls by which tokens are given out. A hold may expire at any time, so when it ended, and
// whether anybody lived to have it, says nothing about tokens. Of an info nobody knows whether it was given a token, or
// which; it can always have been none, and as one more token above the last it would only be in the way: so it is an
// operation that changes nothing. Likewise a grant without a token.
func fencedOperations(ops []history.Op) []porcupine.Operation {
	var all []porcupine.Operation
	for _, a := range attempts(ops) {
		acquire := step{lock: a.lock, grant: a.id}
		switch {
		case a.failed:
		case a.granted == nil:
			all = append(all, operation(acquire, a.invoked, ever))
		default:
			acquire.token = a.granted.token
			all = append(all, operation(acquire, a.invoked, a.granted.ok))
		}
	}
	return all
}

// attempt is one acquire.
type attempt struct {
	id      GrantID
	lock    string
	invoked int64
	failed  bool
	granted *oracleGrant // nil: it was not, or nobody knows
}

// attempts are the acquires in the order of their invokes' lines. When a client died is the one thing that it takes
// from the oracle of the definitions: Porcupine has no word for it.
func attempts(ops []history.Op) []*attempt {
	var all []*attempt
	of := map[GrantID]*attempt{}
	for _, op := range ops {
		id := GrantID{op.Process, op.Grant}
		switch {
		case op.F != history.Acquire:
		case op.Type == history.Invoke:
			of[id] = &attempt{id: id, lock: op.Lock, invoked: op.Time}
			all = append(all, of[id])
		case op.Type == history.Fail:
			of[id].failed = true
		}
	}
	for _, g := range newOracle(ops).grants {
		of[g.id].granted = g
	}
	return all
}

// givenUp is the end of a hold: a little later, and between all times of a history of drawApart, if its process was
// granted the lock again by the very line after which it died. Then that is wrong whatever else happened at that
// time.
func givenUp(ops []history.Op, g *oracleGrant) int64 {
	again := slices.ContainsFunc(ops, func(op history.Op) bool {
		return op.F == history.Acquire && op.Type == history.OK && op.Process == g.id.Process && op.Lock == g.lock && op.Grant > g.id.Grant && op.Time == g.end()
	})
	if again && g.endTime == math.MaxInt64 && g.end() < g.killed {
		return g.end() + 1
	}
	return g.end()
}

// releasedBy is when the release that ended a hold returned ok, or ever.
func releasedBy(ops []history.Op, g *oracleGrant) int64 {
	if g.endLine == math.MaxInt || ops[g.endLine].F != history.Release || g.end() != g.endTime {
		return ever
	}
	for _, op := range ops[g.endLine:] { // a process has one call open at a time
		if op.F == history.Release && op.Type != history.Invoke && op.Process == g.id.Process && op.Grant == g.id.Grant {
			if op.Type == history.OK {
				return op.Time
			}
			return ever
		}
	}
	return ever
}

// drawApart draws a small history of which no two lines of a process are at the same time. Lines of different processes
// often are.
func drawApart(t *rapid.T) []history.Op {
	ops := drawSteps(t, 10, 20, 30, 40, 50, 60)
	next := map[int64]int64{} // the first time that a process may use
	for i := range ops {
		op := &ops[i]
		op.Time *= 1000
		if isWorkerLine(*op) {
			op.Time = max(op.Time, next[op.Process])
			next[op.Process] = op.Time + 2
		}
	}
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Time, b.Time) })
	for i := range ops {
		ops[i].Index = int64(i)
	}
	return ops
}

// TestPorcupineAgrees asks Porcupine of random histories what the checkers say of them.
func TestPorcupineAgrees(t *testing.T) {
	var seen [2][2]int // of each question, how often the answer was no, and yes
	total := withChecks(t, porcupineChecks, func(t *rapid.T) {
		ops := drawApart(t)
		counts := check(t, ops, Options{}).Counts
		for i, q := range []struct {
			name  string
			found int
			model porcupine.Model
			given []porcupine.Operation
		}{
			{"overlap", counts.Overlap, mutexModel(), mutexOperations(ops)},
			{"token_regression", counts.TokenRegression, fencedModel(), fencedOperations(ops)},
		} {
			right := porcupine.CheckOperations(q.model, q.given)
			if right != (q.found == 0) {
				t.Fatalf("%s is %d, but Porcupine says that linearizable is %t\n%s", q.name, q.found, right, text(ops))
			}
			if right {
				seen[i][1]++
			} else {
				seen[i][0]++
			}
		}
	})
	t.Logf("%d histories; overlap: %d wrong, %d right; tokens: %d wrong, %d right", total, seen[0][0], seen[0][1], seen[1][0], seen[1][1])
	for i, answers := range seen {
		if min(answers[0], answers[1]) < total/20 {
			t.Errorf("question %d was answered %v of %d times: what is hardly ever asked is not proven", i, answers, total)
		}
	}
}

// withChecks checks a property with so many histories, unless -rapid.checks asks for another number, and returns how
// many they were. A test that has run for too long to do all of them fails.
func withChecks(t *testing.T, want int, property func(*rapid.T)) int {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	before := checks.String()
	if before != strconv.Itoa(defaultChecks) {
		n, err := strconv.Atoi(before)
		if err != nil {
			t.Fatal(err)
		}
		want = n
	}
	set := func(n string) {
		if err := checks.Set(n); err != nil {
			t.Fatal(err)
		}
	}
	set(fmt.Sprint(want))
	defer set(before)
	if testing.Short() {
		want /= 5 // as rapid does
	}
	done := 0
	rapid.Check(t, func(t *rapid.T) {
		property(t)
		done++
	})
	if done < want {
		t.Errorf("only %d of %d histories were checked: the time ran out (go test -timeout)", done, want)
	}
	return done
}
