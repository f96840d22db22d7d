package history

import (
	"regexp"
	"strings"
)

// oldValue is the key by which a line of format 1 is known. Its text named the phase, or said whom a fault hit and how.
const oldValue = "value"

// format1 turns lines of format 1 into those of today. Faults had no numbers: a heal named the text of the fault that
// it undid.
type format1 struct {
	steps  int
	open   map[string][]*Fault // not healed yet, the oldest first
	heals  map[string]*Fault   // that have begun
	newest map[string]*Fault   // injections, by their name and text
}

// take fills in what the text of a line says.
func (o *format1) take(op *Op, value string) {
	if o.open == nil {
		o.open, o.heals, o.newest = map[string][]*Fault{}, map[string]*Fault{}, map[string]*Fault{}
	}
	switch {
	case !op.IsNemesis() || value == "":
	case op.F == Hosts:
		op.Fault = &Fault{Hosts: split(strings.ReplaceAll(value, " ", ""))}
	case op.F == Phase:
		op.Phase = value
	case op.F == Heal && op.Type == Invoke:
		if all := o.open[value]; len(all) > 0 {
			op.Fault, o.open[value] = all[0], all[1:]
			o.heals[value] = op.Fault
		}
	case op.F == Heal:
		if op.Fault = o.heals[value]; op.Fault == nil && len(o.open[value]) > 0 { // a history may leave the begins of heals out
			op.Fault, o.open[value] = o.open[value][0], o.open[value][1:]
		}
		delete(o.heals, value)
	case op.Type == Invoke:
		o.steps++
		op.Fault = parseFormat1(value)
		op.Fault.Step = o.steps
		o.open[value] = append(o.open[value], op.Fault)
		o.newest[op.F+"\x00"+value] = op.Fault
	default:
		if op.Fault = o.newest[op.F+"\x00"+value]; op.Fault == nil {
			op.Fault = parseFormat1(value)
		}
	}
}

// format1Fault is what lockbench wrote: "holder: c1 from n1,n2; servers drop who is silent for 1s", "all: n1,n2 by
// -3s (2)".
var format1Fault = regexp.MustCompile(`^([^\s:;]+)(?:: ([^\s;]+))?(?: from ([^\s;]*))?(?:; servers drop who is silent for (\S+))?(?: by (\S+?))??(?: by (-?\d+) ppm)?(?: \(\d+\))?$`)

// parseFormat1 takes a text of format 1 apart. Of a text that lockbench did not write, all is the role.
func parseFormat1(value string) *Fault {
	m := format1Fault.FindStringSubmatch(value)
	if m == nil {
		return &Fault{Role: value}
	}
	f := &Fault{Role: m[1], Hosts: split(m[2]), Peers: split(m[3])}
	if f.Hosts == nil && strings.TrimRight(f.Role, "0123456789") != f.Role { // a host's own name
		f.Hosts = split(f.Role)
	}
	for i, name := range []string{"dead-peer", "offset", "ppm"} {
		if text := m[4+i]; text != "" {
			if f.Settings == nil {
				f.Settings = map[string]string{}
			}
			f.Settings[name] = text
		}
	}
	return f
}

func split(names string) []string {
	if names == "" {
		return nil
	}
	return strings.Split(names, ",")
}
