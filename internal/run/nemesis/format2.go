package nemesis

import (
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/lockbench/lockbench/scenarios"
)

// wordyFormat is the format in which "on" and "off" said whether the resource was fenced and workers heeded. Format 1
// did so, too.
const wordyFormat = 2

// fromFormat2 turns a schedule of format 2 into one of today. Its times are left out: when its tests began is not known.
func (s Schedule) fromFormat2() Schedule {
	s.Format = scheduleFormat
	for _, t := range s.Tests {
		for i := range t.Steps {
			t.Steps[i].At, t.Steps[i].Healed = 0, 0
		}
	}
	return s
}

// today puts today's words in the place of those of formats 1 and 2.
func today(schedule ast.Node) {
	eachKey(schedule, func(key, value ast.Node) {
		switch key.GetToken().Value {
		case "scenario":
			eachKey(value, func(key, value ast.Node) {
				switch key.GetToken().Value {
				case "workload":
					rename(value)
				case "expect":
					each(value, rename)
				}
			})
		case "tests":
			each(value, func(test ast.Node) {
				eachKey(test, func(key, value ast.Node) {
					if key.GetToken().Value == "test" {
						say(value, todaysTest(value.GetToken().Value))
					}
				})
			})
		}
	})
}

// rename renames the settings of a workload or of what is expected.
func rename(settings ast.Node) {
	eachKey(settings, func(key, value ast.Node) {
		switch key.GetToken().Value {
		case "fencing":
			toggle(value, scenarios.Fenced, scenarios.Unfenced)
		case "heed-lost":
			say(key, "lost")
			toggle(value, scenarios.Heeding, scenarios.Ignoring)
		}
	})
}

func toggle[T ~string](value ast.Node, on, off T) {
	switch value.GetToken().Value {
	case "on":
		say(value, string(on))
	case "off":
		say(value, string(off))
	}
}

// todaysTest is what a test is called today.
func todaysTest(name string) string {
	return strings.NewReplacer(".fencing-on", ".fenced", ".fencing-off", ".unfenced", ".heed-on", ".heeding", ".heed-off", ".ignoring").Replace(name)
}

// say replaces a text. The library reads it from any of three places.
func say(n ast.Node, text string) {
	if s, ok := n.(*ast.StringNode); ok {
		s.Token.Origin = strings.Replace(s.Token.Origin, s.Value, text, 1)
		s.Value, s.Token.Value = text, text
	}
}

func each(n ast.Node, do func(ast.Node)) {
	if list, ok := n.(*ast.SequenceNode); ok {
		for _, v := range list.Values {
			do(v)
		}
	}
}

func eachKey(n ast.Node, do func(key, value ast.Node)) {
	if m, ok := n.(ast.MapNode); ok {
		for at := m.MapRange(); at.Next(); {
			do(at.Key(), at.Value())
		}
	}
}
