package progress

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

func TestGolden(t *testing.T) {
	all := slices.Concat(start(), middle(), end())
	for name, make := range map[string]func(*bytes.Buffer) Renderer{
		"plain.txt":   func(b *bytes.Buffer) Renderer { return NewPlain(b) },
		"json.golden": func(b *bytes.Buffer) Renderer { return NewJSON(b) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			r := make(&out)
			must.Succeed(t, errors.Join(r.Show(all[:3]), r.Show(nil), r.Show(all[3:]), r.Close()))
			golden.Compare(t, filepath.Join("testdata", name), out.Bytes())
		})
	}
}

// TestJSONIsWhatWasEmitted reads the lines back.
func TestJSONIsWhatWasEmitted(t *testing.T) {
	all := slices.Concat(start(), middle(), end())
	var out bytes.Buffer
	must.Succeed(t, NewJSON(&out).Show(all))
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

// TestNobodyWaitsForTheRenderer emits while the renderer stands still: ticks give way to newer ones of their test,
// and all else is shown, in order.
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
	must.Succeed(t, f.Close())
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

// TestNothingSteersTheTerminal: names and messages of others keep no character that does.
func TestNothingSteersTheTerminal(t *testing.T) {
	const bad = "a\x1b[2J\r\a\u009b2J\u202e\u2028\u200b\ufeff\xff"
	for _, e := range []Event{
		{Kind: RunStarted, Run: &Run{Scenario: bad, Swept: bad, Drivers: []string{bad}, Tests: []Test{{Name: bad, Driver: bad, Phases: []Phase{{Name: bad}}}}}},
		{Kind: DriverOut, Driver: bad, Reason: bad}, {Kind: TestStarted, Driver: bad, Test: bad}, {Kind: PhaseStarted, Driver: bad, Test: bad, Phase: bad},
		{Kind: PhaseSkipped, Test: bad, Phase: bad, Reason: bad}, {Kind: FaultInjected, Driver: bad, Test: bad, Phase: bad, Fault: bad, Target: bad, Injection: &history.Fault{}},
		{Kind: Violation, Driver: bad, Test: bad, Text: bad, Violation: &checker.Violation{}}, {Kind: Note, Test: bad, Text: bad}, {Kind: TestEnded, Driver: bad, Test: bad, Reason: bad},
	} {
		var plain, live bytes.Buffer
		must.Succeed(t, NewPlain(&plain).Show([]Event{e}))
		l := NewLive(&live, func() int { return 400 }, time.Now)
		must.Succeed(t, l.Show([]Event{{Kind: RunStarted, Run: &Run{Drivers: []string{bad}, Tests: []Test{{Name: bad, Driver: bad, Phases: []Phase{{Name: bad}}}}}}}))
		live.Reset()
		must.Succeed(t, l.Show([]Event{e}))
		own := strings.NewReplacer(toBegin, "", clearLine, "", clearBelow, "", wrapOff, "", wrapOn, "", "\n", "")
		for _, said := range []string{plain.String(), live.String()} {
			if said = own.Replace(said); strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(said) {
				t.Errorf("%s: %q", e.Kind, said)
			}
		}
	}
}
