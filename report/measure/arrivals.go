package measure

// maxSteps is how many different times between arrivals are counted. An open loop at a constant rate has one.
const maxSteps = 4096

// arrivals are the times at which the acquires of an open loop were due in a phase, and that were asked for: of each
// worker the newest, and how often each time between two of them was seen.
type arrivals struct {
	newest map[int64]int64
	steps  map[int64]int
	// jumps are from one arrival to the next one of a worker, where the time between them was new: its loop may have
	// begun anew, and left out what was due before.
	jumps []jump
}

type jump struct{ from, to int64 }

// add notes when an acquire was due.
func (a *arrivals) add(worker, intended int64) {
	if a.newest == nil {
		a.newest, a.steps = map[int64]int64{}, map[int64]int{}
	}
	if last, ok := a.newest[worker]; ok {
		if step := intended - last; a.steps[step] > 0 {
			a.steps[step]++
		} else if len(a.steps) < maxSteps {
			a.steps[step]++
			a.jumps = append(a.jumps, jump{last, intended})
		}
	}
	a.newest[worker] = intended
}

// interval is that between two arrivals of a worker: the one that is seen most often. The first may be another one,
// because a worker may come to ask once more by the schedule of the phase before. 0: nobody asked twice.
func (a *arrivals) interval() (most int64) {
	for step, n := range a.steps {
		if n > a.steps[most] || n == a.steps[most] && step > most {
			most = step
		}
	}
	return most
}

// overdue counts those that were due from begin on and before end, and that nobody ever asked for: a worker asks for one
// after another. a has the arrivals of the whole history; step is the time between two of a worker.
func (a *arrivals) overdue(begin, end, step int64) (n int64) {
	if step <= 0 {
		return 0
	}
	after := func(newest, end int64) int64 {
		if end <= begin {
			return 0
		}
		return max(0, end-1-newest)/step - max(0, begin-1-newest)/step
	}
	for _, newest := range a.newest {
		n += after(newest, end)
	}
	for _, j := range a.jumps {
		if j.to-j.from > step+step/2 {
			n += after(j.from, min(end, j.to))
		}
	}
	return n
}
