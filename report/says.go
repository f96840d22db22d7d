package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report/measure"
)

// says puts what the verdicts mean into sentences.
func says(m *Model) []string {
	var all []string
	add := func(format string, names []string) {
		if len(names) > 0 {
			all = append(all, fmt.Sprintf(format, List(names)))
		}
	}
	all = append(all, m.saysOutside()...)
	all = append(all, m.together((*Row).saysExclusion)...)
	add("%s never let a second client in.", m.titles(func(r *Row) bool {
		return held(r.Heeding) && held(r.Ignoring) && (r.Heeding.State == Valid || r.Ignoring.State == Valid)
	}))
	all = append(all, m.together((*Row).saysData)...)
	add("%s corrupted no data, even without a fence.", m.titles(func(r *Row) bool {
		return r.Unfenced.State == Valid && (r.Fenced.State == Valid || r.Fenced.State == NotApplicable)
	}))
	for i, phase := range m.FaultPhases {
		add("Nobody got %s during "+strings.ReplaceAll(phase, "%", "%%")+".", m.titles(func(r *Row) bool {
			b := r.Behaviours[i]
			return len(b.What) > 0 && !slices.Contains(b.What, measure.GoesOn) && !slices.Contains(b.What, measure.LetsTwoIn)
		}))
	}
	add("%s starved a worker: it got no grant while others did.", m.titles(func(r *Row) bool {
		return r.Contention.Grants > 0 && r.Contention.Unluckiest == 0
	}))
	add("The server of %s found deadlocks and ended them.", m.titles(func(r *Row) bool { return r.Deadlocks.Server > 0 }))
	add("Deadlocks of %s ended only when a client gave up waiting.", m.titles(func(r *Row) bool {
		return r.Deadlocks.TimedOut > 0 && r.Deadlocks.Server == 0
	}))
	add("%s had no deadlock, so this run does not show how one ends.", m.titles(func(r *Row) bool {
		return r.Deadlocks.Measured && r.Deadlocks.Count == 0
	}))
	add("%s lost no lock when wall clocks moved.", m.titles(func(r *Row) bool {
		used, lost := r.Clocks.Total()
		return used > 0 && lost == 0
	}))
	all = append(all, m.together(func(r *Row) []said { return r.saysNeedless(&m.Run) })...)
	all = append(all, m.together((*Row).saysUnheld)...)
	for i := range m.Rows {
		all = append(all, m.Rows[i].saysNotes()...)
	}
	add("%s did not grant the lock in time after a fault healed.", m.titles(func(r *Row) bool { return r.Liveness.State == Invalid }))
	add("%s did not show a violation that the scenario expects.", m.titles(func(r *Row) bool { return r.Tally.Missing > 0 }))
	add("Some verdicts on %s are unknown. Unknown is not safe.", m.titles(func(r *Row) bool { return r.Tally.Unknown > 0 }))
	add("The infrastructure under %s failed. Some results are missing.", m.titles(func(r *Row) bool { return r.Tally.Failed > 0 }))
	for i := range m.Rows {
		if d := &m.Rows[i].Driver; d.Status == results.NotRun {
			all = append(all, fmt.Sprintf("%s did not run: %s.", d.Title, strings.TrimSuffix(cmp.Or(d.Reason, "no reason was recorded"), ".")))
		}
	}
	if len(all) == 0 {
		all = append(all, "This run measured nothing. It says nothing about any lock.")
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
		all = append(all, s.before+List(by[s])+s.after)
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
		text += " during " + List(in)
	}
	switch {
	case r.Heeding.State == Invalid:
		text += ", although the clients stop when they learn that the lock is lost"
	case r.Heeding.State == Valid:
		text += ", but only with clients that keep working after they were told that the lock is lost"
	default:
		text += "; the clients keep working after they were told that the lock is lost, and no others were tested"
	}
	count := incidents(r.Heeding.Incidents)
	switch {
	case r.Heeding.State != Invalid:
		count = incidents(r.Ignoring.Incidents)
	case r.Ignoring.State == Invalid:
		count += fmt.Sprintf(", and %d with clients that keep working", r.Ignoring.Incidents)
	}
	return []said{{r.Driver.Title + " (" + count + ")", sentence{after: text + "."}}}
}

func (r *Row) saysData() []said {
	var all []said
	title := r.Driver.Title
	if r.Unfenced.State == Invalid {
		text := " corrupted data without a fence"
		switch r.Fenced.State {
		case Valid:
			text += ", but not with one"
		case NotApplicable:
			text += ". There is no token, so late writes cannot be refused"
		case Invalid, NotRun, Unknown, Failed:
		}
		all = append(all, said{title + " (" + incidents(r.Unfenced.Incidents) + ")", sentence{after: text + "."}})
	}
	if r.Fenced.State == Invalid {
		all = append(all, said{title + " (" + incidents(r.Fenced.Incidents) + ")", sentence{after: " corrupted " +
			"data despite the fence."}})
	}
	if n, ok := r.FencedOff(); ok && n > 0 && r.Fenced.State == Valid {
		all = append(all, said{fmt.Sprintf("%s (%d)", title, n), sentence{"The fence refused stale requests of ", ". The data stayed correct."}})
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
	return r.Count(Fenced, func(t *TestRow) int { return t.Result.Counts.FencedOff })
}

// notes say how to read the table.
func notes(m *Model) []string {
	all := []string{
		"Exclusion: did two clients ever hold the lock at once? Heeding clients stop when they are told that the lock is " +
			"lost (Lost). Ignoring clients keep working.",
		"Data: was what the lock protects corrupted? An unfenced resource takes every write. A fenced one refuses old " +
			"fencing tokens.",
		"×N: N incidents. An incident is a connected set of grants. Expected: the scenario says that this lock breaks here.",
		"Acquire: the time from the call" + openLoop(m) + " to the grant, without contention. One run has no statistics: " +
			"use --rounds.",
		proxyNote(m),
		tripsNote(m),
		underFaultNote(m),
		"\"–\": not measured. Valid means that this run found nothing wrong. It does not prove that the lock is right.",
	}
	all = append(all, NonEmpty(m.stallNote())...)
	if !m.Judged {
		all = append(all, "This run was not judged: it has no "+results.VerdictFile+". Run lockbench check to "+
			"judge it.")
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
	text := "Under a fault: what happened to lock requests made during the fault, in the worst of a lock's tests. Lets two " +
		"in: a second client got the lock while another held it. Blocks: nobody got it. Fails fast: requests were refused " +
		"at once. Goes on: somebody got it. "
	if m.Run.Shows(results.Leadership) {
		return text + "The table of the leadership shows how long it took until somebody led again."
	}
	return text + "p50: the median time to a grant during the fault. Gap: the longest time without a " +
		"grant, to the next grant after the heal. A lock that blocks does so for as long as our fault lasts; if it stays with a " +
		"holder who is cut off, what ends that elsewhere is the server's keep-alive (2 h 11 min by default). Back in: " +
		"the time from the heal to the first grant that was requested after it. The figures of a cell are of one test, the " +
		"one with the longest gap."
}

func openLoop(m *Model) string {
	if slices.ContainsFunc(m.Rows, func(r Row) bool { return r.Latency.OpenLoop }) {
		return " (open loop: from its scheduled time)"
	}
	return ""
}

func proxyNote(m *Model) string {
	c := m.Run.ProxyCost
	switch {
	case m.Run.Direct:
		return "Measured without proxies."
	case c.ProxyP50 == 0:
		return "Measured through proxies. Their cost was not measured."
	default:
		return fmt.Sprintf("Measured through proxies: they add %s to a round trip at p50 (%s against %s) and %s at p99 (%s "+
			"against %s). Their share of an acquire is an estimate: its round trips times that p50, without the traffic "+
			"between servers. --direct measures without proxies.",
			units.Duration(c.ProxyP50-c.DirectP50), units.Duration(c.ProxyP50), units.Duration(c.DirectP50),
			units.Duration(c.ProxyP99-c.DirectP99), units.Duration(c.ProxyP99), units.Duration(c.DirectP99))
	}
}

// tripsNote says whether the round trips were measured, and how.
func tripsNote(m *Model) string {
	text := "Round trips: how often an uncontended acquire waits for its servers, one wait after another"
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
		text += ". Not measured: the drivers declare them"
	} else {
		text += fmt.Sprintf(". Measured by making each one %s longer (median of %d acquires or more)", units.Duration(delay), fewest)
	}
	if len(missing) > 0 {
		text += "; not for " + List(missing)
	}
	return text + "."
}

func incidents(n int) string { return units.Plural(n, "incident") }

// list joins names as English does.
func List(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// NonEmpty keeps the texts that are not empty.
func NonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
