package local

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

const (
	// tailWindow is how much of the end of a log is looked at, in bytes.
	tailWindow = 1 << 20
	// tailLine is how much of a line is quoted, in bytes.
	tailLine = 500
	// tailCauses is how many lines with a cause are quoted that lie before the last lines.
	tailCauses = 3
)

var (
	// javaFrame is a line of a stack in Java, goFrame the second line of a call in one of Go, goBegin its first line.
	javaFrame = regexp.MustCompile(`^\s+(at .*\(.*\)|\.\.\. \d+ (more|common frames omitted))$`)
	goFrame   = regexp.MustCompile(`^\t.*\.(go|s):\d+( \+0x[0-9a-f]+)?$`)
	goBegin   = regexp.MustCompile(`^goroutine \d+ .*:$`)
	// cause is what a line has that says why a server ended.
	cause = regexp.MustCompile(`panic|(?i:fatal)|ERROR|"level":"error"|Exception|Caused by`)
)

// tail is the last n lines of a log, without the frames of stacks. Before them come the last lines that name a cause.
func tail(log string, n int) string {
	var lines []string
	for line := range strings.SplitSeq(log, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case goFrame.MatchString(line):
			lines = lines[:max(0, len(lines)-1)] // the call itself
		case strings.TrimSpace(line) == "", javaFrame.MatchString(line), goBegin.MatchString(line):
		case len(line) > tailLine:
			lines = append(lines, strings.ToValidUTF8(line[:tailLine], "")+"…")
		default:
			lines = append(lines, line)
		}
	}
	before := lines[:max(0, len(lines)-n)]
	var causes []string
	for _, line := range slices.Backward(before) {
		if cause.MatchString(line) && len(causes) < tailCauses {
			causes = append(causes, line)
		}
	}
	slices.Reverse(causes)
	return strings.Join(slices.Concat(causes, lines[len(before):]), "\n")
}

// readTail reads the end of a log, from no earlier than offset on.
func readTail(path string, offset int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // nothing was written to it
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(io.NewSectionReader(f, max(offset, st.Size()-tailWindow), tailWindow))
	return string(b), err
}
