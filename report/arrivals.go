package report

// arrivals are the times at which the acquires of an open loop were due in a phase, and that were asked for: by worker, in order.
type arrivals map[int64][]int64

// add notes when an acquire was due; intended 0: it is none of an open loop. What was due in another phase is left out.
func (a arrivals) add(worker, intended int64, p *PhaseMeasure) {
	if intended >= p.Begin && intended < p.End && intended != 0 {
		a[worker] = append(a[worker], intended)
	}
}

// interval is that between two arrivals of a worker: the one that is seen most often. The first may be another one, because a
// worker may come to ask once more by the schedule of the phase before. 0: none is seen twice over, and nobody knows.
func (a arrivals) interval() int64 {
	seen := map[int64]int{}
	most := int64(0)
	for _, due := range a {
		for i := 1; i < len(due); i++ {
			step := due[i] - due[i-1]
			seen[step]++
			if n := seen[step]; n > seen[most] || n == seen[most] && step > most {
				most = step
			}
		}
	}
	return most
}

// overdue counts those that were due before end and that nobody asked for.
func (a arrivals) overdue(end int64) (n int64) {
	step := a.interval()
	if step <= 0 {
		return 0
	}
	for _, due := range a {
		n += (end - 1 - due[len(due)-1]) / step
	}
	return n
}
