// Package nearest finds what somebody meant by a name that does not exist.
package nearest

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// Of is the one of names that is nearest to name; empty: none is near.
func Of(name string, names []string) string {
	nearest := ""
	best := len(name)/2 + 1
	for _, n := range names {
		if d := levenshtein.Distance(name, n, nil); d < best {
			best, nearest = d, n
		}
	}
	return nearest
}

// Unknown is what to say of a name that is none of names, with the nearest one if one is near:
// `unknown driver "etdc", did you mean "etcd"?; there are: etcd, zookeeper`.
func Unknown(kind, name string, names []string) string {
	hint := ""
	if n := Of(name, names); n != "" {
		hint = fmt.Sprintf(", did you mean %q?", n)
	}
	return fmt.Sprintf("unknown %s %q%s; there are: %s", kind, name, hint, strings.Join(names, ", "))
}
