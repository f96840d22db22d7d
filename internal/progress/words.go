package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// whole writes whole seconds and minutes: of a time that passes nobody needs more.
func whole(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	if s < 60 {
		return fmt.Sprintf("%d s", s)
	}
	return fmt.Sprintf("%d min %d s", s/60, s%60)
}

// fold breaks s between words into lines of at most width columns; a word that is wider is cut into pieces.
func fold(s string, width int) (lines []string) {
	var line strings.Builder
	used := 0
	end := func() {
		lines = append(lines, line.String())
		line.Reset()
		used = 0
	}
	for _, word := range strings.Fields(s) {
		switch {
		case used > 0 && used+1+text.StringWidth(word) > width:
			end()
		case used > 0:
			line.WriteByte(' ')
			used++
		}
		for _, r := range word {
			w := text.RuneWidth(r)
			if used > 0 && used+w > width {
				end()
			}
			line.WriteRune(r)
			used += w
		}
	}
	end()
	return lines
}
