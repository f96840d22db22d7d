package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestNumbers: a number is decimal. What some readers take for a number of another base, or for no number, is refused.
func TestNumbers(t *testing.T) {
	for value, want := range map[string]string{
		"3": "", "010": "decimal", "-010": "decimal", "0x10": "decimal", "0o17": "decimal", "0b11": "decimal", "1_000": "decimal", "+3": "decimal",
		"1e1": "whole number", "3.0": "whole number", ".inf": "whole number", ".nan": "whole number", "1:30": "whole number", "٣": "whole number",
		"yes": "whole number", "'3'": "whole number", "99999999999999999999": "whole number",
	} {
		if err := parseWith("clients", value); !says(err, want) {
			t.Errorf("clients: %s: %v, want %q", value, err, want)
		}
	}
	for value, want := range map[string]string{
		"5": "", "0.5": "", "1e3": "a number", "1.5e+2": "decimal", "0": "", "010": "decimal", "0x10": "decimal", "1_000": "decimal", "010.5": "decimal", ".5": "decimal",
		".inf": "a number", "-.inf": "a number", ".nan": "a number", "yes": "a number", "0.0001": "between", "-1": "between", "100001": "between", "1e999": "a number",
	} {
		if err := parseWith("rate", value); !says(err, want) {
			t.Errorf("rate: %s: %v, want %q", value, err, want)
		}
	}
	for value, want := range map[string]string{
		"true": "", "false": "", "yes": "true or false", "on": "true or false", "1": "true or false", "'true'": "true or false",
	} {
		if err := parseWith("opposite-order", value); !says(err, want) {
			t.Errorf("opposite-order: %s: %v, want %q", value, err, want)
		}
	}
	for value, want := range map[string]string{
		"1ttl": "", "1e2ttl": "is not a time", "0ttl": "between", "0.0001ttl": "between", "1001ttl": "between", "0x1p3ttl": "is not a time", "infttl": "is not a time", "nanttl": "is not a time",
		"1000h": "", "1001h": "longer", "-1s": "is not a time", "5": "is not a time",
	} {
		if err := parseWith("hold", value); !says(err, want) {
			t.Errorf("hold: %s: %v, want %q", value, err, want)
		}
	}
}

// parseWith parses a scenario with that value in its workload.
func parseWith(key, value string) error {
	load := map[string]string{
		"clients": "2", "workers": "1", "locks": "2", "ttl": "2s", "acquire-timeout": "1s", "fencing": "unfenced", "lost": "heeding",
	}
	load[key] = value
	var entries []string
	for k, v := range load {
		entries = append(entries, k+": "+v)
	}
	_, err := Parse("s.yaml", fmt.Appendf(nil, "name: s\nsummary: It shows.\nworkload: {%s}\nphases: [{name: calm, for: 1s}]\n", strings.Join(entries, ", ")))
	return err
}

// says reports whether the error has the text; empty: there is no error.
func says(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

// TestRatesAreWrittenAsTheyAreRead: a schedule has the rate of its run.
func TestRatesAreWrittenAsTheyAreRead(t *testing.T) {
	for _, rate := range []float64{0.001, 0.1, 1, 100, 12345.6789, 1e5} {
		b, err := yaml.Marshal(rate)
		if err != nil {
			t.Fatal(err)
		}
		if err := parseWith("rate", strings.TrimSpace(string(b))); err != nil {
			t.Error(err)
		}
	}
}

// TestNamesCanBePrinted, whatever escapes a file has.
func TestNamesCanBePrinted(t *testing.T) {
	for _, name := range []string{`"a\e[2J"`, `"a\r"`, `"a\a"`, `"a\nb"`, `"a\u202eb"`, `"a\u2028b"`, `"a\u200bb"`, `"\0"`, strings.Repeat("n", 101)} {
		_, err := Parse("s.yaml", fmt.Appendf(nil, "name: %s\nsummary: It shows.\nworkload: {clients: 2, workers: 1, locks: 1, ttl: 2s, acquire-timeout: 1s, fencing: unfenced, lost: heeding}\nphases: [{name: %[1]s, for: 1s}]\n", name))
		if !says(err, "$.name: ") || !says(err, "$.phases[0].name: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestManyProblems: of a file full of mistakes the first ones are told.
func TestManyProblems(t *testing.T) {
	for name, text := range map[string]string{
		"keys":   strings.Repeat("  - {k: 1}\n", 500),
		"values": strings.Repeat("  - {name: calm, for: 1s}\n", 500),
	} {
		_, err := Parse("s.yaml", []byte("name: s\nsummary: It shows.\nworkload: {clients: 2, workers: 1, locks: 1, ttl: 2s, acquire-timeout: 1s, fencing: unfenced, lost: heeding}\nphases:\n"+text))
		if err == nil || strings.Count(err.Error(), "\n") != maxProblems || !strings.Contains(err.Error(), "more problems") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
