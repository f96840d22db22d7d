package report

import (
	"regexp"
	"slices"
	"strings"
)

// Term is a word of reports, with what it means in one sentence.
type Term struct {
	Name, Meaning string
	// forms are how the term stands in a text, if not only by its name.
	forms []string
}

// Glossary lists the terms that a reader needs.
func Glossary() []Term {
	return []Term{
		{"exclusion", "At most one client holds the lock at any time.", nil},
		{"lease", "A grant that ends by itself some time after the lock service last heard of its holder; that time is the TTL.", []string{"lease", "leases", "TTL"}},
		{"heeding, ignoring", "A heeding client stops as soon as its library tells it that the lock is lost; an ignoring one finishes its work first.", []string{"heeding", "ignoring"}},
		{"fencing token", "A number that grows with every grant and goes along with every write, so that the resource can tell a late write.", []string{"fencing token", "fencing tokens", "token", "tokens"}},
		{"fenced, unfenced", "A fenced resource refuses a write whose token is older than one that it has seen; an unfenced one takes every write.", []string{"fenced", "unfenced", "fence"}},
		{"incident", "A connected set of grants that broke exclusion or corrupted data; one incident can have many overlapping grants.", []string{"incident", "incidents"}},
		{"stale write", "A write by a client that no longer held the lock, after the next holder had used the resource.", []string{"stale write", "stale writes", "late write"}},
		{"lost update", "A write that was based on an older version than the one it replaced, so that the write between was lost.", []string{"lost update", "lost updates"}},
		{"gap", "The longest time in which nobody was granted the lock although somebody asked for it.", []string{"gap"}},
		{"minority cut, majority cut", "The network between clients and fewer than half, or more than half, of the lock's servers is cut.", []string{"minority cut", "majority cut", "minority-cut", "majority-cut"}},
	}
}

// Piece is a part of a text.
type Piece struct {
	Text string
	// Term is the name of the term that the piece is; empty: none.
	Term string
}

// Linked cuts a text into pieces, so that each term can be linked where it first stands.
func Linked(text string) []Piece {
	var all []Piece
	linked := map[string]bool{}
	rest := 0
	for _, at := range termForms.FindAllStringIndex(text, -1) {
		name := termOf[strings.ToLower(text[at[0]:at[1]])]
		if linked[name] || partOfName(text, at[0], at[1]) {
			continue
		}
		linked[name] = true
		if at[0] > rest {
			all = append(all, Piece{Text: text[rest:at[0]]})
		}
		all = append(all, Piece{text[at[0]:at[1]], name})
		rest = at[1]
	}
	if rest < len(text) {
		all = append(all, Piece{Text: text[rest:]})
	}
	return all
}

// partOfName reports whether what is between the two places is a part of a name ("etcd.fenced.heeding").
func partOfName(text string, begin, end int) bool {
	const joins = ".-_/"
	if begin > 0 && strings.ContainsRune(joins, rune(text[begin-1])) {
		return true
	}
	return end+1 < len(text) && strings.ContainsRune(joins, rune(text[end])) && !strings.ContainsRune(" \n", rune(text[end+1]))
}

// termForms finds the terms in a text, and termOf names them.
var termForms, termOf = findTerms()

func findTerms() (*regexp.Regexp, map[string]string) {
	names := map[string]string{}
	var forms []string
	for _, t := range Glossary() {
		for _, form := range append(t.forms, t.Name) {
			if names[strings.ToLower(form)] == "" {
				names[strings.ToLower(form)] = t.Name
				forms = append(forms, regexp.QuoteMeta(form))
			}
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // the longest that fits is meant
	return regexp.MustCompile(`(?i)\b(?:` + strings.Join(forms, "|") + `)\b`), names
}
