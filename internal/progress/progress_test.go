package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what it was; if that is right, run go test ./internal/progress -update. It is now:\n%s", path, got)
	}
}

func TestGolden(t *testing.T) {
	all := slices.Concat(start(), middle(), end())
	for name, make := range map[string]func(*bytes.Buffer) Renderer{
		"plain.txt":   func(b *bytes.Buffer) Renderer { return NewPlain(b) },
		"json.golden": func(b *bytes.Buffer) Renderer { return NewJSON(b) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			r := make(&out)
			if err := errors.Join(r.Show(all[:3]), r.Show(nil), r.Show(all[3:]), r.Close()); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.String())
		})
	}
}

// TestJSONIsWhatWasEmitted reads the lines back.
func TestJSONIsWhatWasEmitted(t *testing.T) {
	all := slices.Concat(start(), middle(), end())
	var out bytes.Buffer
	if err := NewJSON(&out).Show(all); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || i >= len(all) || !reflect.DeepEqual(e, all[i]) {
			t.Errorf("line %d is read back as another event (%v): %s", i, err, line)
		}
	}
}

// stuck is a renderer that shows nothing until it is let go.
type stuck struct {
	begun, go_ chan struct{}
	shown      []Event
	err        error
	closed     bool
}

func newStuck() *stuck { return &stuck{begun: make(chan struct{}, 100), go_: make(chan struct{})} }

func (s *stuck) Show(events []Event) error {
	s.begun <- struct{}{}
	<-s.go_
	s.shown = append(s.shown, events...)
	return s.err
}

func (s *stuck) Close() error {
	s.closed = true
	return nil
}

// TestNobodyWaitsForTheRenderer emits while the renderer stands still: ticks give way to newer ones of their test, and all
// else is shown, in order.
func TestNobodyWaitsForTheRenderer(t *testing.T) {
	r := newStuck()
	f := Start(r, 0)
	f.Emit(Event{Kind: Note, Text: "first"})
	<-r.begun
	for i := range 1000 {
		f.Emit(Event{Kind: Tick, Test: "a", Counts: &Counts{Grants: i}})
		f.Emit(Event{Kind: Tick, Test: "b", Counts: &Counts{Grants: i}})
		if i%500 == 0 {
			f.Emit(Event{Kind: Note, Text: fmt.Sprint(i)})
		}
	}
	close(r.go_)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f.Emit(Event{Kind: Note, Text: "too late"})
	var got []string
	for _, e := range r.shown {
		if e.Kind == Tick {
			got = append(got, fmt.Sprint(e.Test, e.Counts.Grants))
		} else {
			got = append(got, e.Text)
		}
	}
	if want := []string{"first", "0", "500", "a999", "b999"}; !slices.Equal(got, want) || !r.closed {
		t.Errorf("shown: %q, want %q; closed: %v", got, want, r.closed)
	}
}

func TestErrorOfTheRenderer(t *testing.T) {
	r := newStuck()
	r.err = errors.New("no space left")
	close(r.go_)
	f := Start(r, 0)
	f.Emit(Event{Kind: Note, Text: "first"})
	<-r.begun
	f.Emit(Event{Kind: Note, Text: "second"})
	if err := f.Close(); !errors.Is(err, r.err) || len(r.shown) != 1 || r.closed {
		t.Errorf("%v; it was asked for %d events after its error, closed: %v", err, len(r.shown)-1, r.closed)
	}
}

func TestTimePassesWithoutEvents(t *testing.T) {
	r := newStuck()
	close(r.go_)
	f := Start(r, time.Millisecond)
	<-r.begun
	if err := f.Close(); err != nil || len(r.shown) > 0 || !r.closed {
		t.Errorf("%v, %d events, closed: %v", err, len(r.shown), r.closed)
	}
}
