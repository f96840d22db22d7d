package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
)

// says puts what the verdicts mean into sentences.
func says(m *Model) []string {
	var all []string
	add := func(format string, names []string) {
		if len(names) > 0 {
			all = append(all, fmt.Sprintf(format, list(names)))
		}
	}
	all = append(all, m.together((*Row).saysExclusion)...)
	add("In this run no second client got in: %s.", m.titles(func(r *Row) bool {
		return held(r.Heeding) && held(r.Ignoring) && (r.Heeding.State == Valid || r.Ignoring.State == Valid)
	}))
	all = append(all, m.together((*Row).saysData)...)
	add("In this run no data was corrupted, not even without a fence: %s.", m.titles(func(r *Row) bool {
		return r.Unfenced.State == Valid && (r.Fenced.State == Valid || r.Fenced.State == NotApplicable)
	}))
	for i, phase := range m.FaultPhases {
		add("Nobody got the lock during "+phase+": %s.", m.titles(func(r *Row) bool {
			b := r.Behaviours[i]
			return len(b.What) > 0 && !slices.Contains(b.What, GoesOn) && !slices.Contains(b.What, LetsTwoIn)
		}))
	}
	add("A worker that asked was granted nothing while others were: %s.", m.titles(func(r *Row) bool {
		return r.Contention.Grants > 0 && r.Contention.Unluckiest == 0
	}))
	add("The server found deadlocks and ended them: %s.", m.titles(func(r *Row) bool { return r.Deadlocks.Server > 0 }))
	add("Deadlocks ended only when a client gave up waiting: %s.", m.titles(func(r *Row) bool {
		return r.Deadlocks.TimedOut > 0 && r.Deadlocks.Server == 0
	}))
	add("No deadlock came about, so nothing is known about how it ends: %s.", m.titles(func(r *Row) bool {
		return r.Deadlocks.Measured && r.Deadlocks.Count == 0
	}))
	add("Wall clocks were moved, and no lock was lost to that: %s. That is a finding, and not a gap.", m.titles(func(r *Row) bool {
		used, lost := r.Clocks.total()
		return used > 0 && lost == 0
	}))
	for i := range m.Rows {
		all = append(all, m.Rows[i].saysNotes()...)
	}
	add("Not granted again in time after a fault healed: %s.", m.titles(func(r *Row) bool { return r.Liveness.State == Invalid }))
	add("The scenario expects a violation that did not appear: %s.", m.titles(func(r *Row) bool { return r.Tally.Missing > 0 }))
	add("Some verdicts are unknown, which is not safe: %s.", m.titles(func(r *Row) bool { return r.Tally.Unknown > 0 }))
	add("The infrastructure failed, so that not everything is known: %s.", m.titles(func(r *Row) bool { return r.Tally.Failed > 0 }))
	for i := range m.Rows {
		if d := &m.Rows[i].Driver; d.Status == results.NotRun {
			all = append(all, fmt.Sprintf("%s did not run, so nothing is known about it: %s.", d.Title, strings.TrimSuffix(orElse(d.Reason, "no reason was recorded"), ".")))
		}
	}
	if len(all) == 0 {
		all = append(all, "Nothing was measured: this run says nothing about any lock.")
	}
	return all
}

// held reports whether a finding speaks against no violation; a question that was not asked does not count.
func held(f Finding) bool {
	return f.State == Valid || f.State == NotApplicable || f.State == NotRun
}

func (m *Model) titles(pass func(*Row) bool) []string {
	var names []string
	for i := range m.Rows {
		if pass(&m.Rows[i]) {
			names = append(names, m.Rows[i].Driver.Title)
		}
	}
	return names
}

// sentence is what is true of a driver, around the driver's name.
type sentence struct{ before, after string }

// said is a sentence about a driver.
type said struct {
	who string
	sentence
}

// together says of all rows what they say, once of all of which it is true, in the order in which it first comes up.
func (m *Model) together(of func(*Row) []said) []string {
	var order []sentence
	by := map[sentence][]string{}
	for i := range m.Rows {
		for _, s := range of(&m.Rows[i]) {
			if by[s.sentence] == nil {
				order = append(order, s.sentence)
			}
			by[s.sentence] = append(by[s.sentence], s.who)
		}
	}
	var all []string
	for _, s := range order {
		all = append(all, s.before+list(by[s])+s.after)
	}
	return all
}

func (r *Row) saysExclusion() []said {
	if r.Heeding.State != Invalid && r.Ignoring.State != Invalid {
		return nil
	}
	var in []string
	for _, b := range r.Behaviours {
		if b.Incidents > 0 {
			in = append(in, b.Phase)
		}
	}
	text := " let two clients hold the lock at once"
	if len(in) > 0 {
		text += " during " + list(in)
	}
	switch {
	case r.Heeding.State == Invalid:
		text += ", even though the clients stop as soon as they learn that they have lost it"
	case r.Heeding.State == Valid:
		text += ", in this run only with clients that work on whatever they are told"
	default:
		text += "; the clients work on whatever they are told, and nothing is known of others"
	}
	count := incidents(r.Heeding.Incidents)
	switch {
	case r.Heeding.State != Invalid:
		count = incidents(r.Ignoring.Incidents)
	case r.Ignoring.State == Invalid:
		count += fmt.Sprintf(", and %d where clients work on", r.Ignoring.Incidents)
	}
	return []said{{r.Driver.Title + " (" + count + ")", sentence{after: text + "."}}}
}

func (r *Row) saysData() []said {
	var all []said
	title := r.Driver.Title
	if r.Unfenced.State == Invalid {
		text := " corrupted data where the resource checked no token"
		switch r.Fenced.State {
		case Valid:
			text += ", but not where it did"
		case NotApplicable:
			text += ", and cannot be fenced for want of one"
		case Invalid, NotRun, Unknown, Failed:
		}
		all = append(all, said{title + " (" + incidents(r.Unfenced.Incidents) + ")", sentence{after: text + "."}})
	}
	if r.Fenced.State == Invalid {
		all = append(all, said{title + " (" + incidents(r.Fenced.Incidents) + ")", sentence{after: " corrupted data in spite of the fence."}})
	}
	if n, ok := r.FencedOff(); ok && n > 0 && r.Fenced.State == Valid {
		all = append(all, said{fmt.Sprintf("%s (%d)", title, n), sentence{"The fence refused stale requests of ", ", and the data stayed whole."}})
	}
	return all
}

// saysNotes repeats what the run noted of the row's tests, once.
func (r *Row) saysNotes() []string {
	var all []string
	for _, t := range r.Tests {
		for _, note := range t.Notes {
			if text := r.Driver.Title + ": " + note + "."; !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

// FencedOff counts the stale requests that the fence refused; !ok: no fenced test was judged.
func (r *Row) FencedOff() (int, bool) {
	return r.count(fenced, func(t *TestRow) int { return t.Result.Counts.FencedOff })
}

// notes say how to read the table.
func notes(m *Model) []string {
	all := []string{
		"Exclusion: did two clients ever hold the lock at once; with clients that stop when their library tells them that they lost it (heeding Lost) and with clients that work on (ignoring Lost).",
		"Data: did that corrupt what the lock protects; with a resource that takes every write (unfenced) and with one that refuses old fencing tokens (fenced).",
		"×N counts incidents, each a connected set of grants. Expected: the scenario says that this lock breaks here.",
		"Acquire: time of a granted acquire without contention, from its call" + openLoop(m) + " to its return. One run says nothing statistical about latency.",
		proxyNote(m),
		tripsNote(m),
		underFaultNote(m),
		"– is not measured. Only valid means that nothing wrong was found, and one run does not prove that there is nothing.",
	}
	if !m.Judged {
		all = append(all, "This run was not judged: it has no "+results.VerdictFile+". lockbench check judges its histories.")
	}
	if m.Run.Status == results.Incomplete || m.Run.Finished.IsZero() {
		text := "This run is incomplete"
		if m.Run.Reason != "" {
			text += ": " + m.Run.Reason
		}
		all = append(all, text+".")
	}
	return all
}

func underFaultNote(m *Model) string {
	text := "Under a fault: what acquires met that were invoked while it was in force, in the worst of a lock's tests. Lets two in: a " +
		"second client was granted the lock that another still held. Blocks: nobody was granted it; fails fast: nor had to wait to " +
		"hear so. Goes on: somebody was granted it. "
	if m.Run.Shows(results.Leadership) {
		return text + "How long it took until somebody led again, the table of the leadership says."
	}
	return text + "p50: the median time of a grant meanwhile. Gap: the longest time without a grant; of a lock that blocks it is as long as the " +
		"fault. Back in: the time from the heal to the first grant asked for after it."
}

func openLoop(m *Model) string {
	if slices.ContainsFunc(m.Rows, func(r Row) bool { return r.Latency.OpenLoop }) {
		return " (open loop: from when it was due)"
	}
	return ""
}

func proxyNote(m *Model) string {
	c := m.Run.ProxyCost
	switch {
	case m.Run.Direct:
		return "Measured without proxies."
	case c.ProxyP50 == 0:
		return "Measured through proxies; their cost was not measured."
	default:
		return fmt.Sprintf("Measured through proxies: each round trip costs %s more at p50 (%s against %s) and %s more at p99 (%s against %s). "+
			"What they cost of an uncontended acquire is estimated: its round trips, times that at p50. What servers say to one "+
			"another crosses proxies, too, and is not in it: a run with --direct shows the whole.",
			units.Duration(c.ProxyP50-c.DirectP50), units.Duration(c.ProxyP50), units.Duration(c.DirectP50),
			units.Duration(c.ProxyP99-c.DirectP99), units.Duration(c.ProxyP99), units.Duration(c.DirectP99))
	}
}

// tripsNote says whether the round trips were measured, and how.
func tripsNote(m *Model) string {
	text := "Round trips: how many times a granted acquire without contention waits for its servers, one after another"
	var delay time.Duration
	fewest := 0
	var missing []string
	for i := range m.Rows {
		r := &m.Rows[i]
		found := r.Driver.RoundTripsMeasured
		switch {
		case found == nil:
		case found.Reason != "":
			missing = append(missing, fmt.Sprintf("%s (%s)", r.Driver.Title, found.Reason))
		case fewest == 0 || found.Acquires < fewest:
			fewest, delay = found.Acquires, found.Delay
		}
	}
	if fewest == 0 {
		text += "; as the drivers declare them, for this run did not measure them"
	} else {
		text += fmt.Sprintf(". Measured by making each of them %s longer (median of %d acquires or more)", units.Duration(delay), fewest)
	}
	if len(missing) > 0 {
		text += "; not of " + list(missing)
	}
	return text + "."
}

func incidents(n int) string { return units.Plural(n, "incident") }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// list joins names as English does.
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
