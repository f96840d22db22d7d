package history

// plain decodes a line as AppendLine writes it, which is what nearly every line of a long history is: keys in its
// order, no white space, no escapes, printable ASCII, numbers far from overflowing, nothing of phases and faults. It
// is ten times as fast as the decoder, takes nothing that the decoder refuses, and leaves every other line to it.
type plain struct {
	line []byte
	at   int
	bad  bool
}

// decodePlain reports whether the line is plain. If not, op holds anything.
func (d *decoder) decodePlain(line []byte, op *Op) bool {
	p := plain{line: line}
	if p.has(`{"index":`) {
		op.Index = p.integer(0)
		p.must(`,"time":`)
	} else {
		p.must(`{"time":`)
	}
	op.Time = p.integer(0)
	p.must(`,"client":"`)
	op.Client = d.shared(&p)
	p.must(`,"process":`)
	if p.has(`-1`) {
		op.Process = NemesisProcess
	} else {
		op.Process = p.integer(0)
	}
	p.must(`,"type":"`)
	op.Type = Type(d.shared(&p))
	p.must(`,"f":"`)
	op.F = d.shared(&p)
	if p.has(`,"lock":"`) {
		op.Lock = d.shared(&p)
	}
	if p.has(`,"grant":`) {
		op.Grant = p.integer(1)
	}
	if p.has(`,"request":`) {
		op.Request = p.integer(1)
	}
	p.optional(`,"token":`, &op.Token)
	if p.has(`,"seq":`) {
		op.Seq = uint64(p.integer(1))
	}
	p.optional(`,"base":`, &op.Base)
	p.optional(`,"version":`, &op.Version)
	if p.has(`,"intended":`) {
		op.Intended = p.integer(1)
	}
	if p.has(`,"error":"`) {
		op.Error = string(p.text())
	}
	p.must("}")
	return !p.bad && (p.at == len(line) || p.at == len(line)-1 && line[p.at] == '\n')
}

// has steps over s if it comes next.
func (p *plain) has(s string) bool {
	if end := p.at + len(s); end <= len(p.line) && string(p.line[p.at:end]) == s {
		p.at = end
		return true
	}
	return false
}

func (p *plain) must(s string) {
	if !p.has(s) {
		p.bad = true
	}
}

// integer returns a number of at most 18 digits, which do not overflow.
func (p *plain) integer(least int64) int64 {
	begin, v := p.at, int64(0)
	for p.at < len(p.line) && p.line[p.at]-'0' <= 9 {
		v = v*10 + int64(p.line[p.at]-'0')
		p.at++
	}
	n := p.at - begin
	if n == 0 || n > 18 || n > 1 && p.line[begin] == '0' || v < least {
		p.bad = true
	}
	return v
}

func (p *plain) optional(key string, u *Uint) {
	if p.has(key) {
		*u = Some(uint64(p.integer(0)))
	}
}

// text returns what is left of a text, and steps over its closing quote.
func (p *plain) text() []byte {
	for begin := p.at; p.at < len(p.line); p.at++ {
		switch b := p.line[p.at]; {
		case b == '"':
			p.at++
			return p.line[begin : p.at-1]
		case b < ' ' || b > '~' || b == '\\':
			p.bad = true
			return nil
		}
	}
	p.bad = true
	return nil
}

// shared returns a text that must not be empty and is likely to come again.
func (d *decoder) shared(p *plain) string {
	b := p.text()
	if len(b) == 0 {
		p.bad = true
		return ""
	}
	return d.share(b)
}

// share returns the text, of which all lines share one copy.
func (d *decoder) share(b []byte) string {
	// A map would take longer for the few texts that most lines have.
	switch string(b) {
	case string(Invoke):
		return string(Invoke)
	case string(OK):
		return string(OK)
	case string(Apply):
		return string(Apply)
	case Acquire:
		return Acquire
	case Read:
		return Read
	case Write:
		return Write
	case Release:
		return Release
	}
	s, ok := d.known[string(b)]
	if !ok {
		s = string(b)
		d.known[s] = s
	}
	return s
}
