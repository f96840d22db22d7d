package progress

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// served serves a page until the test ends.
func served(t *testing.T) *Web {
	t.Helper()
	w, err := ServeWeb("127.0.0.1:0", time.Now)
	must.Succeed(t, err)
	return w
}

// webRun are the events of a run that has come to a fault.
func webRun(at time.Time) []Event {
	started := Event{Kind: RunStarted, Time: at, Run: &Run{Scenario: "partition", Seed: 7, Drivers: []string{"etcd"}, Tests: []Test{
		{Name: "etcd.a", Driver: "etcd", Phases: []Phase{{Name: "cut", Expected: time.Minute}}},
	}}}
	of := func(kind Kind, after time.Duration) Event {
		return Event{Kind: kind, Time: at.Add(after), Driver: "etcd", Test: "etcd.a", Phase: "cut"}
	}
	incidents := 2
	tick, fault := of(Tick, 2*time.Second), of(FaultInjected, time.Second)
	tick.Counts = &Counts{Attempts: 9, Grants: 9, Rate: 4.5, Max: 20 * time.Millisecond, Incidents: &incidents}
	fault.Fault, fault.Target, fault.Injection = "partition", "c1 <script>", &history.Fault{Step: 1}
	return []Event{started, of(TestStarted, 0), of(PhaseStarted, 0), fault, tick}
}

// next reads one event of a stream.
func next(t *testing.T, r *bufio.Reader) (kind string, s webState) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		must.Succeed(t, err)
		switch {
		case strings.HasPrefix(line, "event: "):
			kind = strings.TrimSpace(line[len("event: "):])
		case strings.HasPrefix(line, "data: "):
			must.Succeed(t, json.Unmarshal([]byte(line[len("data: "):]), &s))
		case line == "\n":
			return kind, s
		}
	}
}

func get(t *testing.T, url string) (int, http.Header, string) {
	t.Helper()
	r, err := http.Get(url)
	must.Succeed(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must.Succeed(t, err)
	return r.StatusCode, r.Header, string(b)
}

// A page that comes late sees all of the state, and one that is there at the end gets the report; then nothing listens
// any more.
func TestWebShowsARunAndEndsAsItsReport(t *testing.T) {
	w := served(t)
	must.Succeed(t, w.Show(webRun(time.Now())))
	r, err := http.Get(w.URL() + "events")
	must.Succeed(t, err)
	defer r.Body.Close()
	stream := bufio.NewReader(r.Body)
	kind, s := next(t, stream)
	if kind != "state" || s.Title != "lockbench: partition" || len(s.Locks) != 1 {
		t.Fatalf("%s %+v", kind, s)
	}
	l := s.Locks[0]
	if l.Incidents != 2 || len(l.Points) != 1 || l.Points[0] != (webPoint{2, 4.5, 20}) || len(l.Faults) != 1 || l.Faults[0].To != nil || !strings.Contains(l.Now, "partition c1") {
		t.Errorf("%+v", l)
	}
	report := filepath.Join(t.TempDir(), "report.html")
	must.Succeed(t, os.WriteFile(report, []byte("<p>the report"), 0o600))
	w.Report(report)
	ended := make(chan error, 1)
	go func() { ended <- w.End() }()
	for kind != "over" {
		kind, _ = next(t, stream)
	}
	select {
	case <-ended:
		t.Error("it ended before the page had its report")
	default:
	}
	if code, h, body := get(t, w.URL()+"report"); code != 200 || body != "<p>the report" || strings.Contains(h.Get("Content-Security-Policy"), "script-src") {
		t.Errorf("%d %v %q", code, h, body)
	}
	must.Succeed(t, <-ended)
	if c, err := net.Dial("tcp", strings.Split(w.URL(), "/")[2]); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// Who does not have the whole URL, or comes by another name, finds nothing.
func TestWebAnswersOnlyWhoHasItsURL(t *testing.T) {
	w := served(t)
	defer func() { must.Succeed(t, w.End()) }()
	base := w.URL()
	root := base[:strings.LastIndex(strings.TrimSuffix(base, "/"), "/")+1]
	for url, want := range map[string]int{
		base: 200, base + "page.js": 200, base + "page.css": 200, base + "report": 404, base + "web.go": 404, base + "../": 404,
		root: 404, root + "page.js": 404, root + strings.Repeat("A", 26) + "/": 404, root + "/" + strings.TrimPrefix(base, root): 404,
	} {
		if code, h, _ := get(t, url); code != want || h.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d, want %d; %v", url, code, want, h)
		}
	}
	q, err := http.NewRequest(http.MethodGet, base, nil)
	must.Succeed(t, err)
	q.Host = "evil.example"
	r, err := http.DefaultClient.Do(q)
	must.Succeed(t, err)
	r.Body.Close()
	if r.StatusCode != 404 {
		t.Errorf("by another name: %d", r.StatusCode)
	}
}

func TestWebServesLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "localhost:0": true, "[::1]:8080": true, "127.9.9.9:1": true,
		"0.0.0.0:80": false, ":80": false, "192.0.2.1:80": false, "example.org:80": false, "127.0.0.1": false, "": false, "[::]:1": false,
	} {
		if err := CheckWebAddress(addr); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// A page that reads nothing holds up neither the run nor its end.
func TestWebWaitsForNoReader(t *testing.T) {
	w := served(t)
	c, err := net.Dial("tcp", strings.Split(w.URL(), "/")[2])
	must.Succeed(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET "+w.URL()[strings.Index(w.URL()[7:], "/")+7:]+"events HTTP/1.1\r\nHost: "+strings.Split(w.URL(), "/")[2]+"\r\n\r\n")
	must.Succeed(t, err)
	for _, e := range webRun(time.Now()) {
		must.Succeed(t, w.Show([]Event{e}))
	}
	must.Succeed(t, w.End())
}

// However long a run takes, what a page is sent is bounded, and begins and ends where the run does.
func TestWebPlotsAreBounded(t *testing.T) {
	v := newView()
	begin := time.Now()
	for _, e := range webRun(begin) {
		v.apply(e)
	}
	const ticks = 10_000
	for i := range ticks {
		e := Event{Kind: Tick, Time: begin.Add(time.Duration(i+3) * time.Second), Driver: "etcd", Test: "etcd.a", Phase: "cut", Counts: &Counts{Rate: 5, P99: time.Millisecond}}
		if i == 7000 {
			e.Counts.P99 = time.Second
		}
		v.apply(e)
		v.apply(Event{Kind: Note, Time: e.Time, Text: "note"})
	}
	l := v.snapshot(begin.Add(time.Hour)).Locks[0]
	longest, last := 0.0, l.Points[len(l.Points)-1]
	for _, p := range l.Points {
		longest = max(longest, p.Wait)
		if p.Rate < 4.4 || p.Rate > 5.1 {
			t.Errorf("a rate of %v", p.Rate)
		}
	}
	if len(l.Points) > webPoints || len(l.Points) < webPoints/3 || longest != 1000 || last.At < .9*ticks || len(v.messages) > webMessages {
		t.Errorf("%d points to %v s, the longest wait %v ms, %d messages", len(l.Points), last.At, longest, len(v.messages))
	}
}

// Pages that come and go leave nothing behind.
func TestWebForgetsPages(t *testing.T) {
	w := served(t)
	ctx, cancel := context.WithCancel(t.Context())
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL()+"events", nil)
	must.Succeed(t, err)
	r, err := http.DefaultClient.Do(q)
	must.Succeed(t, err)
	cancel()
	r.Body.Close()
	must.Eventually(t, "the page is forgotten", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.readers == 0
	})
	w.Report("there is none")
	must.Succeed(t, w.End())
}
