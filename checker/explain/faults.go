package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// under says which faults hit the client of a grant and were still in force at a time, unless they are told already.
func (w *words) under(g *checker.Grant, t int64, begin string) string {
	text := ""
	for i := range w.faults {
		f := &w.faults[i]
		if w.told[i] || !slices.Contains(f.Hosts, g.Client) || f.Name == history.Kill || f.From > t || f.To != 0 && f.To <= t {
			continue
		}
		w.told[i] = true
		text += fmt.Sprintf("%s%s since %s", begin, w.participle(f.Name), w.at(f.From))
		begin = " and "
	}
	return text
}

// Traits names the faults of a run that have a trait ("pauses", "cuts-off", "kills").
type Traits func(trait string) map[string]bool

// usual is for a history without a run, which may have faults of any name.
func usual(trait string) map[string]bool {
	switch trait {
	case "pauses":
		return map[string]bool{"pause": true}
	case "cuts-off":
		return map[string]bool{"partition": true, "blackhole": true}
	default:
		return map[string]bool{"crash": true}
	}
}

// participle says what a fault does to a client.
func (w *words) participle(fault string) string {
	switch {
	case w.traits("pauses")[fault]:
		return "paused"
	case w.traits("cuts-off")[fault]:
		return "cut off"
	case w.traits("kills")[fault]:
		return "killed"
	default:
		return "under " + fault
	}
}

// untold tells the faults that no other sentence named, at most maxFaults of them.
func (w *words) untold() string {
	var parts []string
	for i := range w.faults {
		f := &w.faults[i]
		if w.told[i] {
			continue
		}
		text := f.Name
		if whom := f.Fault.String(); whom != "" {
			text += " of " + whom
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
	if len(parts) > maxFaults {
		parts = append(parts[:maxFaults], fmt.Sprintf("%d more", len(parts)-maxFaults))
	}
	return strings.Join(parts, ", ")
}
