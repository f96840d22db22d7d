package progress

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

//go:embed web
var webFiles embed.FS

// Web shows runs on a page that it serves on loopback, by server-sent events, and in the end their report. Only who
// has its URL is answered: that has a random token. It is a Renderer of one run after another.
type Web struct {
	url    string
	token  string
	hosts  []string // that a request may have asked for: other names are of pages that were bound to this address
	server *http.Server
	served chan error
	now    func() time.Time

	mu      sync.Mutex
	view    view
	version int
	changed chan struct{} // closed when there is something new
	report  string        // file of the newest report; empty: there is none
	over    bool
	ended   chan struct{} // closed once it is over
	readers int           // connected now
	fetched chan struct{} // one for each report that was handed over after the end
}

// The bounds of what a page may take.
const (
	webPause    = 500 * time.Millisecond // between two states for one page
	webPatience = 5 * time.Second        // for a page to take what is written to it
	webFarewell = 5 * time.Second        // for the pages to fetch the report
)

// CheckWebAddress refuses an address on which others than this machine would be served.
func CheckWebAddress(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address such as 127.0.0.1:8080: %w", addr, err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("%q is not on loopback, and nothing is served beyond it: give 127.0.0.1 and forward the port, over ssh for one", addr)
	}
	return nil
}

// ServeWeb begins to serve on an address of loopback, port 0 for any that is free. The caller calls End.
func ServeWeb(addr string, now func() time.Time) (*Web, error) {
	if err := CheckWebAddress(addr); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve the live page: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	w := &Web{
		token: rand.Text(), hosts: []string{l.Addr().String(), fmt.Sprintf("localhost:%d", port)}, served: make(chan error, 1), now: now,
		view: newView(), changed: make(chan struct{}), ended: make(chan struct{}), fetched: make(chan struct{}, 64),
	}
	w.url = fmt.Sprintf("http://%s/%s/", l.Addr(), w.token)
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: webPatience, IdleTimeout: webPatience, MaxHeaderBytes: 16 << 10}
	go func() { w.served <- w.server.Serve(l) }()
	return w, nil
}

// URL is where the page is, with its token.
func (w *Web) URL() string { return w.url }

// Show implements Renderer.
func (w *Web) Show(events []Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		w.view.apply(e)
	}
	w.change()
	return nil
}

// Close implements Renderer: a run is over, and another may follow.
func (w *Web) Close() error { return nil }

// Report says in which file the newest report is.
func (w *Web) Report(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report = path
}

// End lets the pages that are open become the report, waits a few seconds until they have it, and stops serving.
func (w *Web) End() error {
	w.mu.Lock()
	w.over = true
	close(w.ended)
	left := w.readers
	if w.report == "" {
		left = 0
	}
	w.change()
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), webFarewell)
	defer cancel()
	for ; left > 0 && ctx.Err() == nil; left-- {
		select {
		case <-w.fetched:
		case <-ctx.Done():
		}
	}
	err := w.server.Shutdown(ctx)
	if err != nil { // somebody reads slowly, or not at all
		err = w.server.Close()
	}
	if served := <-w.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("stop serving the live page: %w", err)
	}
	return nil
}

// change wakes the pages. The caller holds the lock.
func (w *Web) change() {
	w.version++
	close(w.changed)
	w.changed = make(chan struct{})
}

// ServeHTTP implements http.Handler.
func (w *Web) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	h := out.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	token, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if subtle.ConstantTimeCompare([]byte(token), []byte(w.token)) != 1 || !w.known(r.Host) {
		http.NotFound(out, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(out, "only GET", http.StatusMethodNotAllowed)
		return
	}
	switch name {
	case "":
		w.file(out, "page.html", "text/html; charset=utf-8")
	case "page.css":
		w.file(out, name, "text/css; charset=utf-8")
	case "page.js":
		w.file(out, name, "text/javascript; charset=utf-8")
	case "events":
		w.events(out, r)
	case "report":
		w.serveReport(out, r)
	default:
		http.NotFound(out, r)
	}
}

func (w *Web) known(host string) bool {
	for _, h := range w.hosts {
		if host == h {
			return true
		}
	}
	return false
}

func (w *Web) file(out http.ResponseWriter, name, kind string) {
	b, err := webFiles.ReadFile("web/" + name)
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", kind)
	_, _ = out.Write(b) // whoever asked is gone
}

// serveReport hands over the newest report: one file with its styles in it, and without scripts.
func (w *Web) serveReport(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	path, over := w.report, w.over
	w.mu.Unlock()
	if path == "" {
		http.NotFound(out, r)
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	out.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.Write(b) // whoever asked is gone
	if over {
		select {
		case w.fetched <- struct{}{}:
		default: // more than anybody waits for
		}
	}
}

// events sends the state whenever it is new, at most twice a second, until the page goes or all is over. A page that
// takes nothing for a few seconds is given up.
func (w *Web) events(out http.ResponseWriter, r *http.Request) {
	out.Header().Set("Content-Type", "text/event-stream")
	w.mu.Lock()
	w.readers++
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.readers--
		w.mu.Unlock()
	}()
	control := http.NewResponseController(out)
	send := func(kind string, id int, data any) bool {
		b, err := json.Marshal(data)
		if err == nil {
			err = control.SetWriteDeadline(time.Now().Add(webPatience))
		}
		if err == nil {
			_, err = fmt.Fprintf(out, "event: %s\nid: %d\nretry: 1000\ndata: %s\n\n", kind, id, b)
		}
		if err == nil {
			err = control.Flush()
		}
		return err == nil // else the page is gone
	}
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		w.mu.Lock()
		seen, version, changed, over, report := w.view.snapshot(w.now()), w.version, w.changed, w.over, w.report != ""
		w.mu.Unlock()
		if !send("state", version, seen) {
			return
		}
		if over {
			send("over", version, map[string]bool{"report": report})
			return
		}
		pause.Reset(webPause)
		select {
		case <-r.Context().Done():
			return
		case <-pause.C:
		case <-w.ended:
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		}
	}
}
