package scenarios

import "github.com/goccy/go-yaml/ast"

// What a scenario said before the words were those of the reports is still read: the key "heed-lost" is "lost", and "on"
// and "off" are what they were of each. Users have files and scripts.
const oldLost = "heed-lost"

// oldWord is today's word for "on" or "off".
func oldWord[T ~string](s string, yes, no T) T {
	switch Toggle(s) {
	case On:
		return yes
	case Off:
		return no
	}
	return T(s)
}

// scenarioDocument parses a scenario's file, also one of old.
func scenarioDocument(file string, b []byte) (*ast.File, error) {
	doc, err := document(file, b)
	if err == nil && doc.Docs[0].Body != nil {
		ast.Walk(renamer{}, doc.Docs[0].Body)
	}
	return doc, err
}

// renamer renames the old key wherever it stands.
type renamer struct{}

// Visit implements ast.Visitor.
func (r renamer) Visit(n ast.Node) ast.Visitor {
	if pair, ok := n.(*ast.MappingValueNode); ok && pair.Key.GetToken().Value == oldLost {
		say(pair.Key, "lost")
	}
	return r
}

// say replaces a text. The library reads it from any of three places.
func say(n ast.Node, text string) {
	if s, ok := n.(*ast.StringNode); ok {
		s.Value = text
	}
	n.GetToken().Value, n.GetToken().Origin = text, text
}
