package history

import (
	"fmt"
	"strings"
)

// fieldNames are the keys of a line, in the order in which AppendLine writes them.
var fieldNames = [...]string{
	"index", "time", "client", "process", "type", "f", "lock", "grant", "request", "token", "seq", "base", "version",
	"intended", "phase", "step", "role", "hosts", "peers", "direction", "settings", "lasted", "error",
	oldValue, // of format 1; AppendLine never writes it
}

// decoder decodes one line after another. It is our own because the JSON libraries accept lines that mean something
// else than their writer thought. encoding/json takes "TIME" for "time" and keeps the last of two equal fields.
// go-json-experiment refuses both, but takes null for 0 and cannot tell a 0 from a field that is absent, and its
// errors speak of Go's types.
type decoder struct {
	line     []byte
	at       int
	value    string // of a line of format 1
	hasValue bool
	old      format1
	// known holds the names seen so far, so that the million lines of a history share them.
	known map[string]string
}

func (d *decoder) decode(line []byte, op *Op) error {
	index := op.Index
	if d.decodePlain(line, op) {
		return op.Check()
	}
	*op = Op{Index: index}
	d.line, d.at, d.value, d.hasValue = line, 0, "", false
	var seen [len(fieldNames)]bool
	if err := d.object(op, &seen); err != nil {
		return fmt.Errorf("column %d: %w", d.at+1, err)
	}
	for i, name := range fieldNames {
		switch name {
		case "time", "client", "process", "type", "f":
			if !seen[i] {
				return fmt.Errorf("field %q is missing; every line has time, client, process, type and f", name)
			}
		}
	}
	if d.hasValue {
		d.old.take(op, d.value)
	}
	return op.Check()
}

func (d *decoder) object(op *Op, seen *[len(fieldNames)]bool) error {
	if !d.skip('{') {
		return d.unexpected("an object, {…}")
	}
	for first := true; ; first = false {
		if first && d.skip('}') {
			break
		}
		key, err := d.text()
		if err != nil {
			return fmt.Errorf("name of a field: %w", err)
		}
		if !d.skip(':') {
			return d.unexpected("a colon after the name of a field")
		}
		i := fieldIndex(key)
		if i < 0 {
			return fmt.Errorf("unknown field %q; there are %s", key, strings.Join(fieldNames[:], ", "))
		}
		if seen[i] {
			return fmt.Errorf("field %q is there twice", key)
		}
		seen[i] = true
		if err := d.field(fieldNames[i], op); err != nil {
			return fmt.Errorf("field %q: %w", key, err)
		}
		if d.skip('}') {
			break
		}
		if !d.skip(',') {
			return d.unexpected("a comma or the end of the object")
		}
	}
	if d.space(); d.at < len(d.line) {
		return d.unexpected("the end of the line")
	}
	return nil
}

func fieldIndex(key []byte) int {
	for i, name := range fieldNames {
		if string(key) == name {
			return i
		}
	}
	return -1
}

func (d *decoder) field(name string, op *Op) (err error) {
	switch name {
	case "index":
		op.Index, err = d.integer(0)
	case "time":
		op.Time, err = d.integer(0)
	case "client":
		op.Client, err = d.name()
	case "process":
		op.Process, err = d.integer(NemesisProcess)
	case "type":
		var t string
		t, err = d.name()
		op.Type = Type(t)
	case "f":
		op.F, err = d.name()
	case "lock":
		op.Lock, err = d.name()
	case "grant":
		op.Grant, err = d.integer(1)
	case "request":
		op.Request, err = d.integer(1)
	case "token":
		op.Token, err = d.optional()
	case "seq":
		op.Seq, err = d.unsigned(1)
	case "base":
		op.Base, err = d.optional()
	case "version":
		op.Version, err = d.optional()
	case "intended":
		op.Intended, err = d.integer(1)
	case "phase":
		op.Phase, err = d.name()
	case "step", "role", "hosts", "peers", "direction", "settings":
		if op.Fault == nil {
			op.Fault = &Fault{}
		}
		err = d.fault(name, op.Fault)
	case "lasted":
		op.Lasted, err = d.integer(1)
	case oldValue:
		d.value, err = d.string()
		d.hasValue = true
	case "error":
		op.Error, err = d.string()
	}
	return err
}

func (d *decoder) fault(name string, f *Fault) (err error) {
	switch name {
	case "step":
		var step int64
		step, err = d.integer(1)
		f.Step = int(step)
	case "role":
		f.Role, err = d.name()
	case "hosts":
		f.Hosts, err = d.names()
	case "peers":
		f.Peers, err = d.names()
	case "direction":
		f.Direction, err = d.name()
	case "settings":
		f.Settings, err = d.texts()
	}
	return err
}
