package compare

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/internal/units"
	"github.com/lockbench/lockbench/report"
)

// says puts what the comparison found into sentences: what broke first.
func (c *Comparison) says() []string {
	var all []string
	if d := differences(&c.A.Set.Runs[0].Run, &c.B.Set.Runs[0].Run); len(d) > 0 {
		all = append(all, "The two sides differ, which may explain the rest: "+report.List(d)+".")
	}
	changed := 0
	for i := range c.Rows {
		says := c.Rows[i].saysSafety()
		all, changed = append(all, says...), changed+len(says)
	}
	few := min(len(c.A.Set.Runs), len(c.B.Set.Runs))
	switch {
	case changed == 0 && len(c.Rows) == 0:
		all = append(all, "There is no lock to compare.")
	case changed == 0:
		all = append(all, "No verdict on safety changed.")
	case few < IntervalRounds:
		all = append(all, fmt.Sprintf("A violation on only one side may be chance: A has %s, B has %s.", units.Plural(len(c.A.Set.Runs), "run"), units.Plural(len(c.B.Set.Runs), "run")))
	}
	var latency []string
	for i := range c.Rows {
		latency = append(latency, c.Rows[i].saysLatency()...)
	}
	switch {
	case few < IntervalRounds:
		latency = append(latency, fmt.Sprintf("No verdict on latency: each side needs %d rounds. A has %d, B "+
			"has %d. Use lockbench run --rounds %[1]d.",
			IntervalRounds, len(c.A.Set.Runs), len(c.B.Set.Runs)))
	case c.compared() == 0:
		latency = append(latency, "No verdict on latency: no percentile was measured in every round of both sides.")
	case len(latency) == 0:
		latency = append(latency, "No difference in latency was seen.")
	}
	return append(all, latency...)
}

// compared counts the latencies of which both sides have an interval.
func (c *Comparison) compared() (n int) {
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.incomparable() != "" {
			continue
		}
		for _, k := range latencyKinds() {
			for _, f := range comparedFigures(k) {
				if compareTo(r.A.measure(f), r.B.measure(f)) != tooFewRounds {
					n++
				}
			}
		}
	}
	return n
}

func (r *ComparedRow) saysSafety() []string {
	if why := r.incomparable(); why != "" {
		return []string{fmt.Sprintf("%s cannot be compared: %s.", r.Driver.Title, why)}
	}
	var all []string
	for _, q := range report.Questions() {
		a, b := r.A.ask(q), r.B.ask(q)
		if change := changeOf(a, b); change != "" {
			all = append(all, fmt.Sprintf("%s, %s: %s (A %s, B %s).", r.Driver.Title, lowerFirst(q.Title), change, a.words(), b.words()))
		}
	}
	return all
}

func (r *ComparedRow) saysLatency() []string {
	if r.incomparable() != "" {
		return nil
	}
	var all []string
	for _, k := range latencyKinds() {
		for _, f := range comparedFigures(k) {
			a, b := r.A.measure(f), r.B.measure(f)
			if d := compareTo(a, b); d == below || d == above {
				all = append(all, fmt.Sprintf("%s, %s %s: %s: %s against %s.", r.Driver.Title, lowerFirst(k.title), f.stat, verdictOnLatency(a, b),
					write(b, formatNanoseconds), write(a, formatNanoseconds)))
			}
		}
	}
	return all
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
