package report

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLinked(t *testing.T) {
	for text, want := range map[string]string{
		"":                "",
		"nothing to link": "nothing to link",
		"etcd.fenced.heeding, open-token, leases.": "etcd.fenced.heeding, open-token, [leases>lease].",
		"Exclusion":        "[Exclusion>exclusion]",
		"Data, unfenced":   "Data, [unfenced>fenced, unfenced]",
		"fencing tokens":   "[fencing tokens>fencing token]",
		"no token, tokens": "no [token>fencing token], tokens",
		"heeding or ignoring clients, heeding, ignoring": "[heeding>heeding, ignoring] or ignoring clients, heeding, ignoring",
		"majority-cut: gap 2 s, released":                "[majority-cut>minority cut, majority cut]: [gap>gap] 2 s, released",
	} {
		got := ""
		for _, p := range Linked(text) {
			if p.Term == "" {
				got += p.Text
			} else {
				got += "[" + p.Text + ">" + p.Term + "]"
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Nothing of a text is lost, and no term is linked twice.
func TestLinkedKeepsTheText(t *testing.T) {
	word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{" fenced", "token ", "GAP", "minority-cut,", "stale write"}))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(word).Draw(t, "words"), " ")
		var back strings.Builder
		var terms []string
		for _, p := range Linked(text) {
			back.WriteString(p.Text)
			if p.Term != "" && slices.Contains(terms, p.Term) {
				t.Fatalf("%q links %s twice", text, p.Term)
			}
			terms = append(terms, p.Term)
		}
		if back.String() != text {
			t.Fatalf("%q became %q", text, back.String())
		}
	})
}
