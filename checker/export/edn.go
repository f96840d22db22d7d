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

// EDN writes a history as Jepsen does: one map a line, which Jepsen's index of pairs takes. docs/export.md lists the
// keys. Its errors are those of lines and of w.
func EDN(w io.Writer, lines Lines) error {
	out := bufio.NewWriter(w)
	e := ednWriter{keyword: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`), open: map[pending]int64{}, idle: map[int64]int64{}}
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
	index   int64
	open    map[pending]int64 // Jepsen's process of each call that is under way
	idle    map[int64]int64   // Jepsen's process of each worker that has none under way and may invoke again
	next    int64             // Jepsen's process that nobody was yet
}

// pending is what a worker invokes, and what its end names.
type pending struct {
	process, grant, request int64
	f, lock                 string
}

// process is Jepsen's number of the worker that wrote a line. There a process has one call under way, and is never
// heard of again after one of which nobody knows how it ended: the worker goes on under a new number. !ok: the line
// neither invokes a call nor ends one.
func (e *ednWriter) process(op *history.Op) (number int64, ok bool) {
	c := pending{op.Process, op.Grant, op.Request, op.F, op.Lock}
	if op.Type == history.Invoke {
		if number, ok = e.idle[op.Process]; !ok {
			number = e.next
			e.next++
		}
		delete(e.idle, op.Process)
		e.open[c] = number
		return number, true
	}
	if number, ok = e.open[c]; !ok {
		return 0, false
	}
	delete(e.open, c)
	if op.Type != history.Info {
		e.idle[op.Process] = number
	}
	return number, true
}

// op writes the keys that Jepsen has for every op, and then our own. Jepsen knows the types invoke, ok, fail and
// info, and that a process ends what it invokes; so what the nemesis and the resource write is info there, and so is
// what a worker notices without having asked. What it was is in our own keys.
func (e *ednWriter) op(op *history.Op) {
	e.integer(":index", e.index)
	e.index++
	e.integer(":time", op.Time)
	switch {
	case op.IsNemesis():
		e.info(":nemesis", op.F)
		e.value(op)
		e.word(":lockbench/type", string(op.Type))
	case op.Type == history.Apply || op.Type == history.Reject:
		e.info(":resource", string(op.Type))
		e.value(op)
		e.integer(":lockbench/process", op.Process)
		e.word(":lockbench/f", op.F)
	default:
		if number, ok := e.process(op); ok {
			e.integer(":process", number)
			e.word(":type", string(op.Type))
			e.word(":f", op.F)
		} else {
			e.info(":worker", op.F)
		}
		e.value(op)
		e.integer(":lockbench/process", op.Process)
	}
	e.text(":lockbench/client", op.Client)
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

// info writes what Jepsen has for a line of somebody who invokes no call.
func (e *ednWriter) info(process, f string) {
	e.raw(":process", process)
	e.raw(":type", ":info")
	e.word(":f", f)
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
