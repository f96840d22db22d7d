package export

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"olympos.io/encoding/edn"
	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/golden"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

func example(t *testing.T) []history.Op {
	t.Helper()
	text, err := os.ReadFile("../../examples/history.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	ops, err := history.ReadAll(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return ops
}

func lines(ops []history.Op) Lines {
	return func(yield func(*history.Op) error) error {
		for i := range ops {
			if err := yield(&ops[i]); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestEDNGolden(t *testing.T) {
	var b bytes.Buffer
	must.Succeed(t, EDN(&b, lines(example(t))))
	golden.Compare(t, filepath.Join("testdata", "history.edn"), b.Bytes())
}

// TestEDNIsReadBack holds that another program's reader finds in the export all that was in the history.
func TestEDNIsReadBack(t *testing.T) {
	nemesis := history.Op{Time: 9, Client: "nemesis", Process: history.NemesisProcess, Type: history.Info}
	odd := nemesis
	odd.F, odd.Fault, odd.Error = `fault "of" mine`, &history.Fault{
		Step: 3, Role: "tab\there, back\\slash, \x01, é, 🔒", Hosts: []string{`c"1`, "c2"}, Peers: []string{"n1"}, Direction: "in",
		Settings: map[string]string{"dead-peer": "1s", "b ad": `"`},
	}, "line\nline"
	kill := nemesis
	kill.F, kill.Client, kill.Type = history.Kill, "c 1", history.Invoke
	request := history.Op{
		Index: 7, Time: math.MaxInt64, Client: `c"1`, Process: 3, Type: history.Reject, F: history.Write, Lock: "l}1", Grant: 2, Request: 4,
		Token: history.Some(math.MaxUint64), Seq: math.MaxUint64, Base: history.Some(0), Version: history.Some(1), Error: "}",
	}
	ask := history.Op{Client: "c", Process: 70, Type: history.Invoke, F: history.Acquire, Lock: ":k", Grant: 1, Intended: 5}
	acquire := history.Op{Client: "c", Process: 70, Type: history.OK, F: history.Acquire, Lock: ":k", Grant: 1, Token: history.Some(0), Intended: 5}
	lost := history.Op{Client: "c", Process: 70, Type: history.OK, F: history.Lost, Lock: ":k", Grant: 1}
	phase := nemesis
	phase.F = history.Phase
	ops := append(example(t), odd, kill, request, ask, acquire, lost, phase)
	var b bytes.Buffer
	must.Succeed(t, EDN(&b, lines(ops)))
	d := edn.NewDecoder(&b)
	for i, want := range ops {
		var m map[edn.Keyword]any
		if err := d.Decode(&m); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		want.Index = int64(i)
		if got := readOp(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("line %d\n got %+v\nwant %+v", i+1, got, want)
		}
	}
	var more any
	if err := d.Decode(&more); err != io.EOF {
		t.Errorf("after the last line: %v, %v", more, err)
	}
}

// pairs reads an export as Jepsen's index of pairs does, and says what it would not take: indices with gaps, an end
// without its invoke, two calls of a process at once, and a process that goes on after a call of which nobody knows.
func pairs(t rapid.TB, exported io.Reader) (calls, ended int) {
	t.Helper()
	open, gone := map[int64]edn.Keyword{}, map[int64]bool{}
	d := edn.NewDecoder(exported)
	for i := int64(0); ; i++ {
		var m map[edn.Keyword]any
		if err := d.Decode(&m); err == io.EOF {
			return calls, ended
		} else if err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		if m["index"] != i {
			t.Errorf("line %d has index %v", i+1, m["index"])
		}
		p, worker := m["process"].(int64)
		f, _ := m["f"].(edn.Keyword)
		switch typ := m["type"].(edn.Keyword); {
		case !worker && typ != "info":
			t.Errorf("line %d: %v of %v", i+1, typ, m["process"])
		case !worker:
		case typ == "invoke":
			if before, busy := open[p]; busy || gone[p] {
				t.Errorf("line %d: process %d invokes %v, and was in %v; over: %v", i+1, p, f, before, gone[p])
			}
			open[p] = f
			calls++
		default:
			if before, busy := open[p]; !busy || before != f {
				t.Errorf("line %d: process %d ends %v, and was in %q", i+1, p, f, before)
			}
			delete(open, p)
			gone[p] = typ == "info"
			ended++
		}
	}
}

// Whatever workers did, Jepsen takes it.
func TestEDNIsPaired(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ops []history.Op
		invoked, ended := 0, 0
		open := map[int64][]history.Op{}
		for n := range rapid.IntRange(0, 60).Draw(t, "lines") {
			p := rapid.Int64Range(0, 3).Draw(t, "worker")
			op := history.Op{
				Index: int64(3 * n), Time: int64(n), Client: "c1", Process: 7 * p, Type: history.Invoke, Lock: "l",
				F: rapid.SampledFrom([]string{history.Acquire, history.Write, history.Release}).Draw(t, "f"), Grant: int64(n + 1),
			}
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				op.Type, op.F = history.OK, rapid.SampledFrom([]string{history.Lost, history.Abandon}).Draw(t, "noticed")
			case 1:
				op.Type = history.Apply
			case 2, 3:
				if len(open[p]) > 0 { // of a worker that was killed something stays open
					op = open[p][len(open[p])-1]
					op.Type = rapid.SampledFrom([]history.Type{history.OK, history.Fail, history.Info}).Draw(t, "end")
					open[p] = open[p][:len(open[p])-1]
					ended++
					break
				}
				fallthrough
			default:
				open[p] = append(open[p], op)
				invoked++
			}
			ops = append(ops, op)
		}
		var b bytes.Buffer
		must.Succeed(t, EDN(&b, lines(ops)))
		if c, e := pairs(t, &b); c != invoked || e != ended {
			t.Errorf("%d calls of %d, %d ends of %d", c, invoked, e, ended)
		}
	})
}

// readOp makes the op again that a map was written of.
func readOp(t *testing.T, m map[edn.Keyword]any) history.Op {
	t.Helper()
	for _, key := range []edn.Keyword{"index", "time", "process", "type", "f", "value"} {
		if _, ok := m[key]; !ok {
			t.Fatalf("no :%s in %v", key, m)
		}
	}
	text := func(key edn.Keyword) string {
		switch v := m[key].(type) {
		case nil:
			return ""
		case edn.Keyword:
			return string(v)
		case string:
			return v
		default:
			t.Fatalf(":%s is %T", key, v)
			return ""
		}
	}
	number := func(key edn.Keyword) history.Uint {
		switch v := m[key].(type) {
		case nil:
			return history.Uint{}
		case int64:
			return history.Some(uint64(v))
		case *big.Int:
			return history.Some(v.Uint64())
		default:
			t.Fatalf(":%s is %T", key, v)
			return history.Uint{}
		}
	}
	texts := func(key edn.Keyword) (all []string) {
		vector, _ := m[key].([]any)
		for _, v := range vector {
			all = append(all, fmt.Sprint(v))
		}
		return all
	}
	integer := func(key edn.Keyword) int64 { return int64(number(key).V) }
	op := history.Op{
		Index: integer("index"), Time: integer("time"), Client: text("lockbench/client"), Type: history.Type(text("type")), F: text("f"),
		Lock: text("lockbench/lock"), Grant: integer("lockbench/grant"), Request: integer("lockbench/request"),
		Token: number("lockbench/token"), Seq: number("lockbench/seq").V, Base: number("lockbench/base"), Version: number("lockbench/version"),
		Intended: integer("lockbench/intended"), Error: text("error"),
	}
	op.Process = integer("lockbench/process")
	switch fmt.Sprint(m["process"]) {
	case fmt.Sprint(edn.Keyword("nemesis")):
		op.Process, op.Type = history.NemesisProcess, history.Type(text("lockbench/type"))
		f := history.Fault{
			Step: int(integer("lockbench/step")), Role: text("lockbench/role"), Direction: text("lockbench/direction"),
			Hosts: texts("lockbench/hosts"), Peers: texts("lockbench/peers"),
		}
		if all, ok := m["lockbench/settings"].(map[any]any); ok {
			f.Settings = map[string]string{}
			for name, value := range all {
				f.Settings[fmt.Sprint(name)] = fmt.Sprint(value)
			}
		}
		if op.F == history.Phase {
			op.Phase = text("value")
		} else if whom := f.String(); whom != "" {
			op.Fault = &f
			if text("value") != whom {
				t.Errorf(":value is %q, want %q", text("value"), whom)
			}
		}
	case fmt.Sprint(edn.Keyword("resource")):
		op.Type, op.F = history.Type(op.F), text("lockbench/f")
	case fmt.Sprint(edn.Keyword("worker")):
		op.Type = history.OK // nobody asked
	}
	return op
}
