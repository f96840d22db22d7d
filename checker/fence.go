package checker

// checkFence counts the refused requests. A stale one, of a grant of which a later one had been served, shows that
// fencing worked, and is no violation. One that no later grant explains shows that the fence is broken, or
// that the tokens which it went by are.
func checkFence(l *lock, f *findings) {
	seen := newArrivals(l)
	for _, r := range l.requests {
		switch {
		case !r.Rejected:
			seen.add(r.grant)
		case seen.laterThan(r.grant) != nil:
			f.counts.FencedOff++
		default:
			f.counts.BrokenFence++
		}
	}
}
