// Package export writes histories in the formats of other tools. It is pure: it knows no files.
package export

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/checker/history"
)

// Lines reads the lines of a history, in their order, hands each to yield, and returns the first error, of its own or
// of yield.
type Lines func(yield func(op *history.Op) error) error

// EDN writes a history as Jepsen does: one map a line. docs/export.md lists the keys. Its errors are those of lines
// and of w.
func EDN(w io.Writer, lines Lines) error {
	out := bufio.NewWriter(w)
	e := ednWriter{keyword: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)}
	if err := lines(func(op *history.Op) error {
		e.line = append(e.line[:0], '{')
		e.op(op)
		e.line = append(e.line, "}\n"...)
		_, err := out.Write(e.line)
		return err
	}); err != nil {
		return fmt.Errorf("export as EDN: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export as EDN: %w", err)
	}
	return nil
}

// ednWriter writes one line after another.
type ednWriter struct {
	line []byte
	// keyword is what can be written as one without doubt.
	keyword *regexp.Regexp
}

// op writes the keys that Jepsen has for every op, and then our own. Jepsen knows the types invoke, ok, fail and
// info, and that a process ends what it invokes; so what the nemesis and the resource write is info there, and what
// it was is in our own keys.
func (e *ednWriter) op(op *history.Op) {
	resource := op.Type == history.Apply || op.Type == history.Reject
	e.integer(":index", op.Index)
	e.integer(":time", op.Time)
	switch {
	case op.IsNemesis():
		e.raw(":process", ":nemesis")
		e.raw(":type", ":info")
		e.word(":f", op.F)
	case resource:
		e.raw(":process", ":resource")
		e.raw(":type", ":info")
		e.word(":f", string(op.Type))
	default:
		e.integer(":process", op.Process)
		e.word(":type", string(op.Type))
		e.word(":f", op.F)
	}
	e.value(op)
	e.text(":lockbench/client", op.Client)
	switch {
	case op.IsNemesis():
		e.word(":lockbench/type", string(op.Type))
	case resource:
		e.integer(":lockbench/process", op.Process)
		e.word(":lockbench/f", op.F)
	}
	e.text(":lockbench/lock", op.Lock)
	e.positive(":lockbench/grant", op.Grant)
	e.positive(":lockbench/request", op.Request)
	e.number(":lockbench/token", op.Token)
	e.number(":lockbench/seq", history.Uint{V: op.Seq, Set: op.Seq > 0})
	e.number(":lockbench/base", op.Base)
	e.number(":lockbench/version", op.Version)
	e.positive(":lockbench/intended", op.Intended)
	if f := op.Fault; f != nil {
		e.positive(":lockbench/step", int64(f.Step))
		e.text(":lockbench/role", f.Role)
		e.texts(":lockbench/hosts", f.Hosts)
		e.texts(":lockbench/peers", f.Peers)
		e.text(":lockbench/direction", f.Direction)
		e.settings(f.Settings)
	}
	e.positive(":lockbench/lasted", op.Lasted)
	e.text(":error", op.Error)
}

// value writes what Jepsen's checkers look at: of a request the version, of a fault whom it hit and how, else the lock.
func (e *ednWriter) value(op *history.Op) {
	switch {
	case op.IsNemesis():
		if value := cmp.Or(op.Phase, op.Fault.String()); value != "" {
			e.text(":value", value)
			return
		}
	case op.F == history.Read || op.F == history.Write:
		if op.Version.Set {
			e.number(":value", op.Version)
			return
		}
	default:
		e.text(":value", op.Lock)
		return
	}
	e.raw(":value", "nil")
}

func (e *ednWriter) raw(key, value string) {
	if len(e.line) > 1 {
		e.line = append(e.line, ", "...)
	}
	e.line = append(append(append(e.line, key...), ' '), value...)
}

func (e *ednWriter) integer(key string, v int64) { e.raw(key, strconv.FormatInt(v, 10)) }

func (e *ednWriter) positive(key string, v int64) {
	if v > 0 {
		e.integer(key, v)
	}
}

// number writes a number that may be absent. EDN's integers have 64 bits with a sign; a larger one ends with N.
func (e *ednWriter) number(key string, u history.Uint) {
	if !u.Set {
		return
	}
	text := strconv.FormatUint(u.V, 10)
	if u.V > math.MaxInt64 {
		text += "N"
	}
	e.raw(key, text)
}

// word writes a keyword, or a text if it cannot be one.
func (e *ednWriter) word(key, s string) {
	if e.keyword.MatchString(s) {
		e.raw(key, ":"+s)
	} else {
		e.text(key, s)
	}
}

// text writes a text unless it is empty.
func (e *ednWriter) text(key, s string) {
	if s != "" {
		e.raw(key, quoted(s))
	}
}

// texts writes a vector of texts unless it is empty.
func (e *ednWriter) texts(key string, all []string) {
	if len(all) == 0 {
		return
	}
	var parts []string
	for _, s := range all {
		parts = append(parts, quoted(s))
	}
	e.raw(key, "["+strings.Join(parts, " ")+"]")
}

// settings writes a map of texts unless it is empty.
func (e *ednWriter) settings(all map[string]string) {
	if len(all) == 0 {
		return
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, quoted(name)+" "+quoted(all[name]))
	}
	e.raw(":lockbench/settings", "{"+strings.Join(parts, ", ")+"}")
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
