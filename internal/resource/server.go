package resource

import (
	"bufio"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/monotime"
)

// Fence decides whether a request with this token may pass, given the highest one seen for its item.
type Fence func(highest history.Uint, token history.Uint) bool

// RejectLower is the fence of a correct resource: lower tokens are refused, equal ones accepted, and a request
// without a token has no business behind a fence.
func RejectLower(highest, token history.Uint) bool {
	return token.Set && (!highest.Set || token.V >= highest.V)
}

// Config says how a resource behaves.
type Config struct {
	// Addr is where it listens ("ip:port"). Port 0 is any that is free. The IP must be given: without one it would
	// listen on every interface.
	Addr string
	// Secret is what every connection must begin with: other users of the machine can connect, too.
	Secret string
	// Fence is nil for a resource that does not fence.
	Fence Fence
	// Record is called for every request in the order they were served, one at a time.
	Record func(*history.Op) error
	Clock  monotime.Clock
}

// Server is a running resource.
type Server struct {
	cfg      Config
	listener net.Listener
	handlers sync.WaitGroup

	mu     sync.Mutex
	items  map[string]*item
	seq    uint64
	conns  map[net.Conn]struct{}
	closed bool
	err    error // the first op that could not be recorded
	// served is closed and replaced whenever a grant's first request is served.
	served  chan struct{}
	started map[grant]struct{}
	grants  []GrantSeen
}

type item struct {
	version uint64
	value   int64
	fence   history.Uint
}

type grant struct{ process, n int64 }

// GrantSeen is a grant whose first request was served.
type GrantSeen struct {
	Client         string
	Process, Grant int64
	Lock           string
	Time           int64
}

// Listen starts a resource.
func Listen(cfg Config) (*Server, error) {
	host, _, err := net.SplitHostPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("start the resource: its address must be ip:port: %w", err)
	}
	if host == "" {
		return nil, fmt.Errorf("start the resource: the address %q has no IP", cfg.Addr)
	}
	if cfg.Secret == "" {
		return nil, errors.New("start the resource: it has no secret, and would serve anybody")
	}
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("start the resource: %w", err)
	}
	s := &Server{
		cfg: cfg, listener: ln,
		items: map[string]*item{}, conns: map[net.Conn]struct{}{},
		served: make(chan struct{}), started: map[grant]struct{}{},
	}
	s.handlers.Go(s.accept)
	return s, nil
}

// Addr is where the resource listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			s.mu.Lock()
			if !s.closed && s.err == nil {
				s.err = fmt.Errorf("the resource accepts no connections any more: %w", err)
			}
			s.mu.Unlock()
			return
		}
		s.mu.Lock()
		if s.closed {
			_ = conn.Close()
		} else {
			s.conns[conn] = struct{}{}
			s.handlers.Go(func() { s.handle(conn) })
		}
		s.mu.Unlock()
	}
}

func (s *Server) handle(conn net.Conn) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close() // whatever went wrong on it, the worker sees the end
	}()
	in := bufio.NewScanner(conn)
	out := json.NewEncoder(conn)
	if !in.Scan() || subtle.ConstantTimeCompare(in.Bytes(), []byte(s.cfg.Secret)) == 0 {
		_ = out.Encode(Response{Error: "the connection did not begin with the secret"}) // to a stranger, or nobody
		return
	}
	for in.Scan() {
		var req Request
		var resp Response
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			resp.Error = fmt.Sprintf("not a request: %v", err)
		} else {
			resp = s.serve(&req)
		}
		if err := out.Encode(resp); err != nil {
			return // the worker is gone; what was served is recorded
		}
	}
}

// serve sequences one request: the order in which it is called is the resource's order.
func (s *Server) serve(req *Request) Response {
	if req.F != history.Read && req.F != history.Write {
		return Response{Error: fmt.Sprintf("unknown request %q; there are read and write", req.F)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[req.Lock]
	if !ok {
		it = &item{}
		s.items[req.Lock] = it
	}
	s.seq++
	op := history.Op{
		Time: s.cfg.Clock.Now(), Client: req.Client, Process: req.Process, Type: history.Apply, F: req.F,
		Lock: req.Lock, Grant: req.Grant, Request: req.Request, Seq: s.seq,
	}
	if req.Token != nil {
		op.Token = history.Some(*req.Token)
	}
	if s.cfg.Fence != nil && !s.cfg.Fence(it.fence, op.Token) {
		op.Type = history.Reject
		op.Error = "token is missing"
		if op.Token.Set {
			op.Error = fmt.Sprintf("token is below the fence at %d", it.fence.V)
		}
		return s.record(&op, Response{Rejected: true, Version: it.version, Value: it.value})
	}
	if s.cfg.Fence != nil && op.Token.Set && (!it.fence.Set || op.Token.V > it.fence.V) {
		it.fence = op.Token
	}
	if req.F == history.Write {
		op.Base = history.Some(req.Base)
		it.version++
		it.value = req.Value
	}
	op.Version = history.Some(it.version)
	resp := s.record(&op, Response{Version: it.version, Value: it.value})
	s.notice(GrantSeen{Client: op.Client, Process: op.Process, Grant: op.Grant, Lock: op.Lock, Time: op.Time})
	return resp
}

func (s *Server) record(op *history.Op, resp Response) Response {
	if err := s.cfg.Record(op); err != nil {
		if s.err == nil {
			s.err = err
		}
		return Response{Error: "the resource cannot record: " + err.Error()}
	}
	return resp
}

// Notice counts a grant among those seen whose requests go elsewhere, into the lock's own transaction.
func (s *Server) Notice(g GrantSeen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notice(g)
}

// notice tells whoever waits for it that a grant reached the resource for the first time.
func (s *Server) notice(seen GrantSeen) {
	g := grant{seen.Process, seen.Grant}
	if _, ok := s.started[g]; ok {
		return
	}
	s.started[g] = struct{}{}
	s.grants = append(s.grants, seen)
	close(s.served)
	s.served = make(chan struct{})
}

// Grants returns the grants that were seen from the n-th on, and a channel that is closed when there are more.
func (s *Server) Grants(n int) ([]GrantSeen, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.grants[min(n, len(s.grants)):], s.served
}

// Close stops the resource and returns the first error that kept it from recording.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	err := s.listener.Close()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.handlers.Wait()
	return errors.Join(err, s.err)
}
