package progress

import (
	"slices"
	"testing"
	"time"
)

func TestWhole(t *testing.T) {
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
