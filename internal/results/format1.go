package results

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/plainyaml"
)

// oldFormat is the format in which a run's workload was a list of texts, and its plan one text.
const oldFormat = 1

// format1 has what run.json had in format 1 and has elsewhere now.
type format1 struct {
	Settings map[string]string `json:"settings"`
	Tests    []struct {
		Phases []struct {
			Name      string `json:"name"`
			Fault     string `json:"fault"`
			Latency   bool   `json:"latency"`
			Contended bool   `json:"contended"`
		} `json:"phases"`
	} `json:"tests"`
}

// readFormat1 fills in what format 1 said in another way. What a text does not say stays empty: runs of older builds
// had fewer.
func (r *Run) readFormat1(b []byte) error {
	var old format1
	if err := json.Unmarshal(b, &old); err != nil {
		return err
	}
	s := old.Settings
	w := &r.Workload
	w.Clients, w.Workers, w.Locks = number(s["clients"]), number(s["workers"]), number(s["locks"])
	w.TTL, w.AcquireTimeout = span(s["ttl"], 0), span(s["acquire-timeout"], 0)
	w.Hold, w.Think = spans(s["hold"], w.TTL), spans(s["think"], w.TTL)
	w.Rate, _ = strconv.ParseFloat(strings.TrimSuffix(s["rate"], "/s"), 64)
	w.Fencing, w.Lost, w.Resource = s["fencing"], s["heed-lost"], s["resource"]
	r.Outline = s["phases"]
	if path, value, ok := strings.Cut(s["sweep"], " = "); ok {
		r.Sweep = &Sweep{path, value}
	}
	r.Plan = planOf(old, w.TTL)
	return nil
}

// readFormat1 fills in what format 1 said in another way: each incident had a sentence of its own, beside the
// explanations.
func (v *Verdicts) readFormat1(b []byte) error {
	var old struct {
		Tests []struct {
			Result struct {
				Incidents []struct {
					Explanation string `json:"explanation"`
				} `json:"incidents"`
			} `json:"result"`
		} `json:"tests"`
	}
	if err := json.Unmarshal(b, &old); err != nil {
		return err
	}
	v.Format = Format
	for i, t := range old.Tests {
		all := &v.Tests[i].Explanations
		explained := len(*all)
		for n, in := range t.Result.Incidents {
			if n >= explained { // they are those of the first incidents
				*all = append(*all, explain.Explanation{Number: n + 1, Text: in.Explanation + "."})
			}
		}
	}
	return nil
}

// planOf takes the plan from the outline and, of a run without one, from its tests.
func planOf(old format1, ttl time.Duration) []PlannedPhase {
	var outline []struct {
		Name    string           `yaml:"name"`
		Drivers []string         `yaml:"drivers"`
		Alone   bool             `yaml:"alone"`
		For     string           `yaml:"for"`
		Draw    int              `yaml:"draw"`
		Faults  []map[string]any `yaml:"faults"`
	}
	// It is a text for readers: one that cannot be read has nothing.
	if doc, err := plainyaml.Parse([]byte(old.Settings["phases"])); err == nil {
		_ = yaml.NodeToValue(doc.Docs[0].Body, &outline)
	}
	var plan []PlannedPhase
	for _, o := range outline {
		p := PlannedPhase{Name: o.Name, Drivers: o.Drivers, Alone: o.Alone, For: span(o.For, ttl), Draw: o.Draw}
		for _, f := range o.Faults {
			p.Faults = append(p.Faults, oldFault(f))
		}
		plan = append(plan, p)
	}
	for _, t := range old.Tests {
		for _, p := range t.Phases {
			i := slices.IndexFunc(plan, func(o PlannedPhase) bool { return o.Name == p.Name })
			if i < 0 {
				i = len(plan)
				plan = append(plan, PlannedPhase{Name: p.Name})
			}
			plan[i].Latency = plan[i].Latency || p.Latency
			plan[i].Contended = plan[i].Contended || p.Contended
			if plan[i].Faults == nil && p.Fault != "" {
				for name := range strings.SplitSeq(p.Fault, ", ") {
					name, target, _ := strings.Cut(name, " ")
					plan[i].Faults = append(plan[i].Faults, PlannedFault{Name: name, Target: target, Traits: oldTraits(name)})
				}
			}
		}
	}
	return plan
}

// oldFault reads a fault of an outline: what has no field of its own is a setting of the fault.
func oldFault(entries map[string]any) PlannedFault {
	f := PlannedFault{}
	for key, value := range entries {
		text := fmt.Sprint(value)
		switch key {
		case "name":
			f.Name, f.Traits = text, oldTraits(text)
		case "target":
			f.Target = text
		case "direction":
			f.Direction = text
		case "peers":
			if all, ok := value.([]any); ok {
				for _, peer := range all {
					f.Peers = append(f.Peers, fmt.Sprint(peer))
				}
			}
		case "when", "for", "holder-goes-on", "drivers":
		default:
			if f.Settings == nil {
				f.Settings = map[string]string{}
			}
			f.Settings[key] = text
		}
	}
	return f
}

// oldTraits returns the traits of a fault that a run of format 1 could have. Format 1 did not save them.
func oldTraits(name string) []string {
	return map[string][]string{
		"amnesia":         {"kills", "loses-data"},
		"blackhole":       {"cuts-off"},
		"clock-drift":     {"moves-clocks"},
		"clock-jump":      {"moves-clocks"},
		"clock-strobe":    {"moves-clocks"},
		"crash":           {"kills", "takes-lock"},
		"partition":       {"cuts-off"},
		"pause":           {"pauses"},
		"rolling-restart": {"kills"},
		"terminate":       {"takes-lock"},
	}[name]
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// span reads a time, also one in TTLs ("1.5ttl").
func span(s string, ttl time.Duration) time.Duration {
	if times, ok := strings.CutSuffix(s, "ttl"); ok {
		n, _ := strconv.ParseFloat(times, 64)
		return time.Duration(n * float64(ttl))
	}
	d, _ := time.ParseDuration(s)
	return d
}

func spans(s string, ttl time.Duration) Range {
	low, high, two := strings.Cut(s, "..")
	if !two {
		high = low
	}
	return Range{span(low, ttl), span(high, ttl)}
}
