package explain

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
)

// world draws well-formed histories of locks that promise nothing. Times stand still often.
type world struct {
	t        *rapid.T
	now      int64
	ops      []history.Op
	workers  []*worker
	numbers  int64
	seq      uint64
	versions map[string]uint64
	late     []history.Op // requests whose worker has given up waiting; they may still arrive
}

type worker struct {
	client string
	n      int64
	asked  int64
	held   []*held
	gone   bool
}

type held struct {
	lock     string
	n        int64
	requests int64
	base     uint64
	token    history.Uint
}

func drawHistory(t *rapid.T) []history.Op {
	w := &world{t: t, now: 5, versions: map[string]uint64{}}
	for i := range 2 + w.pick(3) {
		w.start(fmt.Sprintf("c%d", i%3+1))
	}
	for range 15 + w.pick(45) {
		w.now += int64(w.pick(3))
		if w.pick(20) == 0 {
			w.inject()
			continue
		}
		if x := w.workers[w.pick(len(w.workers))]; !x.gone {
			w.work(x)
		}
	}
	for i := range w.ops {
		w.ops[i].Index = int64(i)
	}
	return w.ops
}

// pick draws evenly from 0 to n-1, which rapid's integers are not; n is up to 64.
func (w *world) pick(n int) int {
	i := 0
	for _, bit := range rapid.SliceOfN(rapid.Bool(), 6, 6).Draw(w.t, "pick") {
		i *= 2
		if bit {
			i++
		}
	}
	return i * n / 64
}

func (w *world) start(client string) {
	w.workers = append(w.workers, &worker{client: client, n: w.numbers})
	w.numbers++
}

func (w *world) log(x *worker, op history.Op) {
	op.Time, op.Client, op.Process = w.now, x.client, x.n
	w.ops = append(w.ops, op)
}

func (w *world) inject() {
	client := w.workers[w.pick(len(w.workers))].client
	op := history.Op{Time: w.now, Client: "nemesis", Process: history.NemesisProcess, Type: history.Invoke, F: "pause", Fault: &history.Fault{Step: 1, Hosts: []string{client}}}
	switch w.pick(4) {
	case 0:
		op.F = history.Heal
	case 1, 2:
		if op.F, op.Client = history.Kill, client; w.pick(4) > 0 { // or the client dies of itself
			w.ops = append(w.ops, op)
		}
		for _, x := range w.workers {
			x.gone = x.gone || x.client == client && w.pick(4) > 0 // some write a moment longer
		}
		w.start(client)
		return
	}
	w.ops = append(w.ops, op)
}

func (w *world) work(x *worker) {
	if len(x.held) == 0 || w.pick(6) == 0 {
		w.acquire(x)
		return
	}
	i := w.pick(len(x.held))
	h := x.held[i]
	op := history.Op{Type: history.OK, F: history.Lost, Lock: h.lock, Grant: h.n}
	switch w.pick(10) {
	case 0:
		w.log(x, op)
	case 1:
		op.F = history.Abandon
		w.log(x, op)
		x.held = slices.Delete(x.held, i, i+1)
	case 2, 3:
		op.F, op.Type = history.Release, history.Invoke
		w.log(x, op)
		op.Type = history.OK
		w.now += int64(w.pick(2))
		w.log(x, op)
		if w.pick(4) > 0 { // else it is used after the release
			x.held = slices.Delete(x.held, i, i+1)
		}
	default:
		w.request(x, h)
	}
	if len(w.late) > 0 && w.pick(3) == 0 {
		w.serve(w.late[0])
		w.late = w.late[1:]
	}
}

func (w *world) acquire(x *worker) {
	x.asked++
	op := history.Op{Type: history.Invoke, F: history.Acquire, Lock: fmt.Sprintf("l%d", 1+w.pick(2)), Grant: x.asked}
	w.log(x, op)
	w.now += int64(w.pick(2))
	if op.Type = history.OK; w.pick(5) == 0 {
		op.Type = history.Fail
	} else {
		if w.pick(2) == 0 {
			op.Token = history.Some(uint64(w.pick(6)))
		}
		x.held = append(x.held, &held{lock: op.Lock, n: op.Grant, base: w.versions[op.Lock], token: op.Token})
	}
	w.log(x, op)
}

func (w *world) request(x *worker, h *held) {
	h.requests++
	op := history.Op{Type: history.Invoke, F: history.Read, Lock: h.lock, Grant: h.n, Request: h.requests, Token: h.token}
	if w.pick(3) > 0 {
		op.F, op.Base = history.Write, history.Some(h.base)
	}
	w.log(x, op)
	w.now += int64(w.pick(2))
	if w.pick(5) == 0 {
		w.late = append(w.late, w.ops[len(w.ops)-1])
		op.Type = history.Info
		w.log(x, op)
		if x.gone = true; w.pick(2) == 0 {
			w.log(x, history.Op{Type: history.OK, F: history.Abandon, Lock: h.lock, Grant: h.n})
		}
		w.start(x.client)
		return
	}
	w.serve(w.ops[len(w.ops)-1])
	h.base = w.versions[h.lock]
	op.Type, op.Version = history.OK, history.Some(h.base)
	w.log(x, op)
}

// serve lets a request arrive at the resource.
func (w *world) serve(op history.Op) {
	w.seq++
	if op.F == history.Write {
		w.versions[op.Lock]++
	}
	op.Time, op.Type, op.Seq, op.Version = w.now, history.Apply, w.seq, history.Some(w.versions[op.Lock])
	w.ops = append(w.ops, op)
}
