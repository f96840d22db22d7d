package report

// Term is a word of reports, with what it means in one sentence.
type Term struct{ Name, Meaning string }

// Glossary lists the terms that a reader needs.
func Glossary() []Term {
	return []Term{
		{"exclusion", "At most one client holds the lock at any time."},
		{"lease", "A grant that ends by itself some time after the lock service last heard of its holder; that time is the TTL."},
		{"Lost", "The signal by which a client library tells a holder that the lock is no longer its own."},
		{"heeding, ignoring", "A heeding client stops as soon as it is told Lost; an ignoring one finishes its work first."},
		{"fencing token", "A number that grows with every grant and goes along with every write, so that the resource can tell a late write."},
		{"fenced, unfenced", "A fenced resource refuses a write whose token is older than one that it has seen; an unfenced one takes every write."},
		{"incident", "A connected set of grants that broke exclusion or corrupted data; one incident can have many overlapping grants."},
		{"stale write", "A write by a client that no longer held the lock, after the next holder had used the resource."},
		{"lost update", "A write that was based on an older version than the one it replaced, so that the write between was lost."},
		{"gap", "The longest time in which nobody was granted the lock although somebody asked for it."},
		{"hand-off", "The time from the end of one hold to the next grant, if somebody was already waiting."},
		{"minority cut, majority cut", "The network between clients and fewer than half, or more than half, of the lock's servers is cut."},
		{"open loop", "Acquires are due at set times whatever the lock does, so that a stalled lock cannot hide its latency (no coordinated omission)."},
	}
}
