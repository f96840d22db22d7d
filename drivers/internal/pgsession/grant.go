package pgsession

// Grant is the part of a lease that depends on the session. It says whether the holder may still assume that it
// holds.
type Grant struct {
	session *Session
	lost    chan struct{}
}

// Grant registers a new grant. The heartbeat beats while there are any.
func (s *Session) Grant() *Grant {
	g := &Grant{session: s, lost: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over != nil { // between the server's answer and now
		close(g.lost)
		return g
	}
	s.grants[g] = struct{}{}
	return g
}

// Lost implements drivers.Lease.
func (g *Grant) Lost() <-chan struct{} { return g.lost }

// Forget says that the grant was given back. Lost stays as it is.
func (g *Grant) Forget() {
	g.session.mu.Lock()
	defer g.session.mu.Unlock()
	delete(g.session.grants, g)
}

// LoseAll closes Lost of every grant of the session.
func (s *Session) LoseAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for g := range s.grants {
		close(g.lost)
	}
	clear(s.grants)
}
