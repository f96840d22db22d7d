package progress

import (
	"slices"
	"testing"
	"time"
)

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ns", 999: "999 ns", 1000: "1.00 µs", 162_400: "162 µs", 999_499: "999 µs", 999_500: "1.00 ms",
		9_994_999: "9.99 ms", 9_995_000: "10.0 ms", 99_949_999: "99.9 ms", 99_950_000: "100 ms",
		380_300 * time.Microsecond: "380 ms", 22_560 * time.Millisecond: "22.6 s", 20 * time.Minute: "1200 s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%d ns is %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{59_400 * time.Millisecond: "59 s", 59_500 * time.Millisecond: "1 min 0 s", time.Hour + time.Second: "60 min 1 s"} {
		if got := whole(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		s    string
		want []string
	}{
		{"", []string{""}},
		{"one two three", []string{"one two", "three"}},
		{"a verylongword b", []string{"a", "verylon", "gword b"}},
		{"µµµµ µµ µ", []string{"µµµµ µµ", "µ"}},
		{"日本語日本", []string{"日本語", "日本"}}, // two columns each
	} {
		if got := fold(tt.s, 7); !slices.Equal(got, tt.want) {
			t.Errorf("%q is %q, want %q", tt.s, got, tt.want)
		}
	}
}

// TestWhatADriverWaitsFor: between two phases a driver says for what it waits.
func TestWhatADriverWaitsFor(t *testing.T) {
	s, all := newState(), slices.Concat(start(), middle(), end())
	seen := map[string]bool{}
	for _, e := range all {
		s.apply(e)
		for _, r := range s.rows {
			if r.driver == "redis-setnx" && r.phase == "" {
				seen[s.pause(r)] = true
			}
		}
	}
	for _, want := range []string{"servers start", "servers are ready", "clients start", "waits for the others", "clients stop", "done"} {
		if !seen[want] {
			t.Errorf("it never says %q, but %v", want, seen)
		}
		delete(seen, want)
	}
	if len(seen) > 0 {
		t.Errorf("it also says %v", seen)
	}
}
