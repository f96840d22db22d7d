package scenarios

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestVariants(t *testing.T) {
	s, err := Load("client-pause")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path   string
		values []string
		at     func(Scenario) any
		want   []any
	}{
		{"$.workload.ttl", []string{"2s", "4s"}, func(s Scenario) any { return time.Duration(s.Workload.TTL) }, []any{2 * time.Second, 4 * time.Second}},
		{"$.workload.clients", []string{"2", "5"}, func(s Scenario) any { return s.Workload.Clients }, []any{2, 5}},
		{"$.workload.fencing", []string{"fenced", "unfenced"}, func(s Scenario) any { return s.Workload.Fencing }, []any{Fenced, Unfenced}},
		{"$.phases[0].faults[0].point", []string{"before-write"}, func(s Scenario) any { return s.Phases[0].Faults[0].Settings["point"] }, []any{"before-write"}},
		{"$.phases[*].for", []string{"3ttl"}, func(s Scenario) any { return s.Phases[0].For == s.Phases[1].For && s.Phases[0].For.TTLs == 3 }, []any{true}},
		{"$.phases[0].faults", []string{"[{name: crash, target: all}]"}, func(s Scenario) any { return s.Phases[0].Faults[0].Name }, []any{"crash"}},
	} {
		variants, err := s.Variants(Sweep{tt.path, tt.values})
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		var got []any
		for _, v := range variants {
			got = append(got, tt.at(v))
			if v.Sweep != nil || v.Name != s.Name || len(v.Phases) != len(s.Phases) {
				t.Errorf("%s: more than the value changed: %+v", tt.path, v)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.path, got, tt.want)
		}
	}
	if again, err := Load("client-pause"); err != nil || again.Workload != s.Workload {
		t.Errorf("the scenario itself changed: %+v, %v", s.Workload, err)
	}
}

func TestVariantsThatCannotBe(t *testing.T) {
	s, err := Load("client-pause")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, value, want string }{
		{"workload.ttl", "2s", "is not a path"},
		{"$.workload[", "2s", "is not a path"},
		{"$", "2s", "cannot be swept"},
		{"$.sweep.values", "2s", "cannot be swept"},
		{"$.workload.rate", "2", "must have a value already"},
		{"$.phases[9].for", "2s", "must have a value already"},
		{"$.workload.ttl", "soon", `"soon" is not a duration`},
		{"$.workload.ttl", "", "it is empty"},
		{"$.workload.ttl", "{", "no YAML"},
		{"$.workload", "{ttl: 1s, x: 2}", `unknown key "x"`},
		{"$.workload.clients", "0", "0 is not between"},
	} {
		_, err := s.Variants(Sweep{tt.path, []string{tt.value}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "client-pause.yaml:") {
			t.Errorf("%s = %q: %v, want %q and its place", tt.path, tt.value, err, tt.want)
		}
	}
}

func TestParseSweep(t *testing.T) {
	for text, want := range map[string][]string{
		"$.workload.ttl=1s,2s":                 {"1s", "2s"},
		"$.workload.hold=1ms..2ms, 1ttl..2ttl": {"1ms..2ms", "1ttl..2ttl"},
		"$.phases[0].drivers=[etcd],[a, b]":    {"[etcd]", "[a, b]"},
		"$.workload.clients=3":                 {"3"},
	} {
		s, err := ParseSweep(text)
		if err != nil || s.Path != text[:strings.Index(text, "=")] || !slices.Equal(s.Values, want) {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "$.a", "=1", "$.a=", "$.a=[", "$.a=]", "$.a=1]\nb: [2", "$.a=,"} {
		if s, err := ParseSweep(text); err == nil {
			t.Errorf("%q: %+v", text, s)
		}
	}
}
