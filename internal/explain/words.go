package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/history"
)

// text tells the violations in at most three sentences: how two came to hold the lock, what that did to the data, and what
// else is to be known.
func (s *scene) text(all []found, e *Explanation) string {
	w := words{scene: s, faults: e.Faults, told: map[int]bool{}, names: s.names(all)}
	var lock, data []string
	for i := range all {
		v := &all[i]
		switch v.Kind {
		case overlap:
			lock = append(lock, w.overlap(v))
		case interleaved:
			lock = append(lock, w.interleaved(v))
		case regression:
			lock = append(lock, w.regression(v))
		case stale:
			if same := slices.IndexFunc(all, func(o found) bool { return o.Kind == lost && o.write == v.write }); same >= 0 {
				data = append(data, w.stale(v)+w.overwrote(&all[same]))
			} else {
				data = append(data, w.stale(v))
			}
		default:
			if !slices.ContainsFunc(all, func(o found) bool { return o.Kind == stale && o.write == v.write }) {
				data = append(data, w.lost(v))
			}
		}
	}
	var sentences []string
	for _, part := range []string{strings.Join(lock, "; "), strings.Join(data, "; "), w.rest(e)} {
		if part != "" {
			sentences = append(sentences, sentence(part))
		}
	}
	return strings.Join(sentences, " ")
}

// sentence ends a text with a full stop.
func sentence(s string) string { return strings.TrimSuffix(s, ".") + "." }

// words tells one incident.
type words struct {
	*scene
	faults []Fault
	told   map[int]bool // of faults
	names  map[*party]string
	// lockTold is true once the lock was spoken of.
	lockTold bool
}

// names tells the grants that are spoken of apart in as few words as that takes.
func (s *scene) names(all []found) map[*party]string {
	names := map[*party]string{}
	for i := range all {
		for _, p := range []*party{all[i].by, all[i].against} {
			names[p] = p.span.client
		}
	}
	for p := range names {
		process, grant := false, false
		for q := range names {
			process = process || p.Process != q.Process && p.span.client == q.span.client
			grant = grant || p != q && p.Process == q.Process
		}
		switch {
		case grant:
			names[p] = fmt.Sprintf("%s (process %d, grant %d)", p.span.client, p.Process.N, p.N)
		case process:
			names[p] = fmt.Sprintf("%s (process %d)", p.span.client, p.Process.N)
		}
	}
	return names
}

func (w *words) at(t int64) string { return fmt.Sprintf("%.3f s", float64(t-w.begin)/1e9) }

// lockName is the lock's name where it is first spoken of.
func (w *words) lockName() string {
	if w.lockTold {
		return "it"
	}
	w.lockTold = true
	return "`" + w.lock + "`"
}

func (w *words) overlap(v *found) string {
	return fmt.Sprintf("%s was granted %s at %s while %s, granted it at %s%s, still held it: both held it for %s, until %s",
		w.names[v.by], w.lockName(), w.at(v.At), w.names[v.against], w.at(v.against.Return.Time), w.struck(v.against, v.At, " and "),
		duration(v.until-v.At), w.ended(v))
}

// struck says what was done to a party by a time, if it was still done then and is not told yet.
func (w *words) struck(p *party, t int64, begin string) string {
	var all []string
	for i, f := range w.faults {
		if !w.told[i] && f.strikes(p.span.client) && f.Name != history.Kill && f.From <= t && (f.To == 0 || f.To > t) {
			w.told[i] = true
			all = append(all, fmt.Sprintf("%s since %s", f.participle(), w.at(f.From)))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return begin + strings.Join(all, " and ")
}

// write is the subject of a sentence about a stale write or a lost update.
func (w *words) write(v *found) string {
	to := ""
	if !w.lockTold {
		to = " to " + w.lockName()
	}
	if struck := w.struck(v.by, v.At, ", "); struck != "" {
		return fmt.Sprintf("%s%s, made write %d%s, which", w.names[v.by], struck, *v.Version, to)
	}
	return fmt.Sprintf("%s's write %d%s", w.names[v.by], *v.Version, to)
}

// ended says which of the two holds ended first, and how.
func (w *words) ended(v *found) string {
	first := v.by
	if v.against.end <= v.by.end {
		first = v.against
	}
	how := map[string]string{
		released: "released it", abandoned: "gave it up", killed: "was killed", lastLine: "was last seen",
	}[first.endedBy]
	return fmt.Sprintf("%s %s at %s", w.names[first], how, w.at(first.end))
}

func (w *words) interleaved(v *found) string {
	a, b := w.names[v.against], w.names[v.by]
	return fmt.Sprintf("%s used %s at %s, %s at %s and %s again at %s, each answered while it held the lock",
		a, w.lockName(), w.at(v.turns[0].Served.Time), b, w.at(v.turns[1].Served.Time), a, w.at(v.turns[2].Served.Time))
}

func (w *words) regression(v *found) string {
	return fmt.Sprintf("%s was granted %s at %s with token %d, although %s had been granted it at %s with token %d",
		w.names[v.by], w.lockName(), w.at(v.At), v.by.Token.V, w.names[v.against], w.at(v.against.Return.Time), v.against.Token.V)
}

func (w *words) stale(v *found) string {
	gap := duration(v.At - v.earlier.Served.Time)
	if v.Delayed {
		return fmt.Sprintf("%s was sent at %s, while nobody else held the lock, and applied only at %s, %s after the first request of %s, granted the lock at %s: a fence would have refused it",
			w.write(v), w.at(v.write.Invoke.Time), w.at(v.At), gap, w.names[v.against], w.at(v.against.Return.Time))
	}
	return fmt.Sprintf("%s was applied at %s, %s after the first request of %s, the later holder",
		w.write(v), w.at(v.At), gap, w.names[v.against])
}

// overwrote continues the sentence about a stale write.
func (w *words) overwrote(v *found) string {
	return fmt.Sprintf("; it was based on %d and overwrote %s %d unread", *v.Base, w.whose(v), *v.Overwrote)
}

func (w *words) lost(v *found) string {
	return fmt.Sprintf("%s at %s, based on %d, overwrote %s %d unread",
		w.write(v), w.at(v.At), *v.Base, w.whose(v), *v.Overwrote)
}

// whose says whose write a lost update overwrote.
func (w *words) whose(v *found) string {
	if v.by == v.against {
		return "its own"
	}
	return w.names[v.against] + "'s"
}

// rest tells the faults that were not told yet, and how many grants were left out.
func (w *words) rest(e *Explanation) string {
	var parts []string
	for i, f := range w.faults {
		if w.told[i] {
			continue
		}
		text := f.Name
		if f.Value != "" {
			text += " of " + f.Value
		}
		text += " since " + w.at(f.From)
		if f.To != 0 {
			text += " until " + w.at(f.To)
		}
		if f.Uncertain {
			text += " (not certain)"
		}
		parts = append(parts, text)
	}
	var all []string
	if len(parts) > maxFaults {
		parts = append(parts[:maxFaults], fmt.Sprintf("%d more", len(parts)-maxFaults))
	}
	if len(parts) > 0 {
		all = append(all, "faults at that time: "+strings.Join(parts, ", "))
	}
	if e.Others == 1 {
		all = append(all, "1 more grant belongs to the incident")
	} else if e.Others > 0 {
		all = append(all, fmt.Sprintf("%d more grants belong to the incident", e.Others))
	}
	return upper(strings.Join(all, "; "))
}

// maxFaults is how many faults are told in words.
const maxFaults = 5

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// duration writes nanoseconds with three significant digits.
func duration(ns int64) string {
	d, unit := float64(ns), "ns"
	for _, u := range []struct {
		unit string
		size time.Duration
	}{{"µs", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}} {
		// Half a unit of the third digit less, so that 999.6 µs is 1.00 ms.
		if float64(ns) >= float64(u.size)*0.9995 {
			d, unit = float64(ns)/float64(u.size), u.unit
		}
	}
	digits := 2
	for limit := 9.995; digits > 0 && d >= limit; limit *= 10 {
		digits--
	}
	if unit == "ns" {
		digits = 0
	}
	return strconv.FormatFloat(d, 'f', digits, 64) + " " + unit
}
