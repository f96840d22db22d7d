package history

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

const line1 = `{"time":5,"client":"c1","process":0,"type":"invoke","f":"acquire","lock":"l","grant":1}`

// readLines reads without asking how the lines fit together.
func readLines(r io.Reader) ([]Op, error) {
	in := NewReader(r)
	var ops []Op
	for {
		op, err := in.Next()
		if err == io.EOF {
			return ops, nil
		}
		if err != nil {
			return ops, err
		}
		ops = append(ops, op)
	}
}

func TestReadAccepts(t *testing.T) {
	want := Op{Time: 5, Client: "c1", Type: Invoke, F: Acquire, Lock: "l", Grant: 1}
	for name, text := range map[string]string{
		"any order of keys":      `{"grant":1,"lock":"l","f":"acquire","type":"invoke","process":0,"client":"c1","time":5,"index":0}`,
		"white space":            " { \"time\" : 5 ,\t\"client\":\"c1\",\"process\":0,\"type\":\"invoke\",\"f\":\"acquire\",\"lock\":\"l\",\"grant\":1 } \r\n",
		"no newline at the end":  line1,
		"blank lines at the end": line1 + "\n\n \n",
		"escapes":                `{"time":5,"client":"\u0063\u0031","process":0,"type":"invoke","f":"acquire","lock":"\u006c","grant":1}`,
	} {
		ops, err := readLines(strings.NewReader(text))
		if err != nil || len(ops) != 1 || ops[0] != want {
			t.Errorf("%s: %+v, %v", name, ops, err)
		}
	}
	ops, err := readLines(strings.NewReader(line1 + "\n" + line1 + "\n"))
	if err != nil || ops[0].Index != 0 || ops[1].Index != 1 {
		t.Errorf("without an index: %+v, %v", ops, err)
	}
	ops, err = readLines(strings.NewReader(strings.Replace(line1, `"grant":1`, `"grant":1,"intended":9223372036854775807`, 1)))
	if err != nil || ops[0].Intended != 1<<63-1 {
		t.Errorf("the largest number: %+v, %v", ops, err)
	}
	ok := strings.Replace(line1, "invoke", "ok", 1)
	ops, err = readLines(strings.NewReader(strings.Replace(ok, `"grant":1`, `"grant":1,"token":18446744073709551615`, 1)))
	if err != nil || ops[0].Token != Some(1<<64-1) {
		t.Errorf("the largest token: %+v, %v", ops, err)
	}
	if ops, err := readLines(strings.NewReader("")); err != nil || ops != nil {
		t.Errorf("an empty file: %+v, %v", ops, err)
	}
}

// wrongLine is a line that a Reader refuses, and what it says of it.
type wrongLine struct{ name, text, says string }

func wrongLines() []wrongLine {
	with := func(old, new string) string { return strings.Replace(line1, old, new, 1) }
	return []wrongLine{
		{"unknown field", with(`"time"`, `"when":1,"time"`), `unknown field "when"`},
		{"field in capitals", with(`"time"`, `"TIME"`), `unknown field "TIME"`},
		{"field twice", with(`"time":5`, `"time":5,"time":5`), `"time" is there twice`},
		{"text for a number", with(`5`, `"5"`), `field "time": want a whole number, got "\"5\""`},
		{"number for a text", with(`"c1"`, `1`), `field "client": want a text`},
		{"null", with(`5`, `null`), `want a whole number, got "null"`},
		{"fraction", with(`5`, `5.0`), `want a whole number`},
		{"exponent", with(`5`, `5e3`), `want a whole number`},
		{"leading zero", with(`5`, `05`), `want a whole number`},
		{"only a sign", with(`5`, `-`), `want a whole number`},
		{"too large", with(`5`, `9223372036854775808`), `want a number from 0`},
		{"negative time", with(`5`, `-5`), `want a number from 0`},
		{"negative token", with(`"grant":1`, `"grant":1,"token":-1`), `want a number from 0`},
		{"grant 0", with(`"grant":1`, `"grant":0`), `want a number from 1`},
		{"process -2", with(`"process":0`, `"process":-2`), `want a number from -1`},
		{"object as a value", with(`5`, `{}`), `want a whole number`},
		{"not an object", `[1]`, `want an object`},
		{"two objects", line1 + line1, `want the end of the line`},
		{"trailing comma", with(`1}`, `1,}`), `want a text in double quotes`},
		{"no comma", with(`,"client"`, ` "client"`), `want a comma`},
		{"no colon", with(`"time":`, `"time" `), `want a colon`},
		{"bad escape", with(`"c1"`, `"\x"`), `field "client"`},
		{"control character", with(`c1`, "c\x01"), `control character`},
		{"not UTF-8", with(`c1`, "c\xff"), `UTF-8`},
		{"empty client", with(`c1`, ``), `not empty`},
		{"missing time", with(`"time":5,`, ``), `field "time" is missing`},
		{"missing process", with(`"process":0,`, ``), `field "process" is missing`},
		{"missing lock", with(`"lock":"l",`, ``), `field "lock" is missing`},
		{"missing grant", with(`,"grant":1`, ``), `field "grant" is missing`},
		{"missing request", with(`acquire`, `read`), `field "request" is missing`},
		{"missing base", with(`"f":"acquire"`, `"f":"write","request":1`), `field "base" is missing`},
		{"missing seq", with(`invoke","f":"acquire"`, `apply","f":"read","request":1,"version":0`), `field "seq" is missing`},
		{"missing version", with(`invoke","f":"acquire"`, `apply","f":"read","request":1,"seq":1`), `field "version" is missing`},
		{"unknown type", with(`invoke`, `begin`), `type "begin" does not fit`},
		{"apply of an acquire", with(`invoke`, `apply`), `type "apply" does not fit`},
		{"invoke of an abandon", with(`acquire`, `abandon`), `type "invoke" does not fit`},
		{"a fault by a worker", with(`acquire`, `partition`), `unknown f "partition" of process 0`},
		{"an acquire by the nemesis", with(`"process":0`, `"process":-1`), `belongs to workers`},
		{"truncated", line1[:len(line1)-9], `may be truncated`},
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range wrongLines() {
		for before, line := range map[string]int{"": 1, line1 + "\n" + line1 + "\n": 3} {
			_, err := readLines(strings.NewReader(before + tt.text))
			var at *LineError
			if !errors.As(err, &at) || at.Line != line || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%s: got %v, want line %d: …%s…", tt.name, err, line, tt.says)
			}
		}
	}
}

func TestReadStopsAtAnError(t *testing.T) {
	in := NewReader(strings.NewReader("{}\n" + line1))
	_, first := in.Next()
	if _, again := in.Next(); first == nil || again != first {
		t.Errorf("got %v, then %v", first, again)
	}
	broken := errors.New("disk on fire")
	if _, err := readLines(io.MultiReader(strings.NewReader(line1+"\n"), iotest.ErrReader(broken))); !errors.Is(err, broken) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v", err)
	}
}

func TestBlankLineInTheMiddle(t *testing.T) {
	_, err := readLines(strings.NewReader(line1 + "\n\n\n" + line1 + "\n"))
	var at *LineError
	if !errors.As(err, &at) || at.Line != 2 {
		t.Errorf("got %v", err)
	}
}

// TestEveryCutIsNoticed cuts a history within its last line.
func TestEveryCutIsNoticed(t *testing.T) {
	text := line1 + "\n" + strings.Replace(line1, "invoke", "ok", 1)
	for n := len(line1) + 2; n < len(text); n++ {
		var at *LineError
		if _, err := readLines(strings.NewReader(text[:n])); !errors.As(err, &at) || at.Line != 2 {
			t.Fatalf("cut after %q: %v", text[:n], err)
		}
	}
}

func TestLongestLine(t *testing.T) {
	longest := strings.Replace(line1, `"grant":1`, `"grant":1,"error":""`, 1)
	longest = strings.Replace(longest, `"error":"`, `"error":"`+strings.Repeat("x", MaxLine-len(longest)), 1)
	for _, end := range []string{"", "\n", "\n" + line1 + "\n"} {
		if _, err := readLines(iotest.HalfReader(strings.NewReader(longest + end))); err != nil {
			t.Errorf("%d bytes and %d more: %v", len(longest), len(end), err)
		}
		_, err := readLines(strings.NewReader(" " + longest + end))
		var at *LineError
		if !errors.As(err, &at) || at.Line != 1 || !strings.Contains(err.Error(), "longer than") {
			t.Errorf("one byte more: %v", err)
		}
	}
}

// drawOp draws any op that a line can hold.
func drawOp(t *rapid.T) Op {
	number := func(from int64, name string) int64 { return rapid.Int64Range(from, 1<<63-1).Draw(t, name) }
	maybe := func(name string) Uint {
		if !rapid.Bool().Draw(t, name+" set") {
			return Uint{}
		}
		return Some(rapid.Uint64().Draw(t, name))
	}
	name := rapid.StringN(1, 20, -1)
	op := Op{
		Index: number(0, "index"), Time: number(0, "time"), Client: name.Draw(t, "client"), Process: number(-1, "process"),
		Error: rapid.String().Draw(t, "error"), Intended: number(0, "intended"),
		Token: maybe("token"), Base: maybe("base"), Version: maybe("version"), Lock: name.Draw(t, "lock"),
		Grant: number(1, "grant"), Request: number(1, "request"), Seq: rapid.Uint64Range(1, 1<<64-1).Draw(t, "seq"),
	}
	op.Type = rapid.SampledFrom([]Type{Invoke, OK, Fail, Info, Apply, Reject}).Draw(t, "type")
	op.F = rapid.SampledFrom([]string{Acquire, Read, Write, Release, Lost, Abandon}).Draw(t, "f")
	if op.IsNemesis() {
		if rapid.Bool().Draw(t, "about a fault") {
			texts := rapid.SliceOfN(name, 1, 3)
			op.Fault = &Fault{Step: rapid.IntRange(1, 1<<40).Draw(t, "step"), Role: name.Draw(t, "role"), Direction: name.Draw(t, "direction")}
			if rapid.Bool().Draw(t, "more") {
				op.Fault.Hosts, op.Fault.Peers = texts.Draw(t, "hosts"), texts.Draw(t, "peers")
				op.Fault.Settings = rapid.MapOfN(name, rapid.String(), 1, 3).Draw(t, "settings")
			}
		}
		if rapid.Bool().Draw(t, "took a while") {
			op.Lasted = number(1, "lasted")
		}
		if rapid.Bool().Draw(t, "of a phase") {
			op.Phase = name.Draw(t, "phase")
		}
		op.F = rapid.OneOf(rapid.SampledFrom([]string{Kill, Phase, Heal, Died, Stopped, Stalled, Stepped}), name).Filter(func(f string) bool { return !isWorkers(f) }).Draw(t, "fault")
	}
	if op.Check() != nil {
		t.Skip("no such line")
	}
	return op
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawOp(t)
		line := AppendLine(nil, &want)
		if bytes.Count(line, []byte("\n")) != 1 {
			t.Fatalf("not one line: %q", line)
		}
		got, err := readLines(bytes.NewReader(line))
		if err != nil || !reflect.DeepEqual(got, []Op{want}) {
			t.Fatalf("%s\n got %+v, %v\nwant %+v", line, got, err, want)
		}
	})
}

// FuzzRead holds that no input panics, that an error names a line that is there, and that what was read and is
// written is read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(line1 + "\n"))
	f.Add([]byte(line1 + "\n\n"))
	f.Add([]byte(`{"time":5,"client":"nemesis","process":-1,"type":"ok","f":"heal","value":"\ud83d\ude00\u0000"}`))
	f.Add([]byte(`{"index":7,"time":1,"client":"c","process":3,"type":"apply","f":"write","lock":"l","grant":1,"request":2,"token":0,"seq":4,"base":0,"version":1}`))
	f.Add([]byte(`{"error":"\ud800"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ops, err := readLines(bytes.NewReader(text))
		var at *LineError
		if err != nil && (!errors.As(err, &at) || at.Line < 1 || at.Line > bytes.Count(text, []byte("\n"))+1) {
			t.Fatalf("%v", err)
		}
		var again []byte
		for i := range ops {
			again = AppendLine(again, &ops[i])
		}
		same, err := readLines(bytes.NewReader(again))
		if err != nil || !reflect.DeepEqual(same, ops) {
			t.Fatalf("%s\nread again: %+v, %v\nwant %+v", again, same, err, ops)
		}
		if _, err := Parse(ops); err != nil && (!errors.As(err, &at) || at.Line < 1 || at.Line > len(ops)) {
			t.Fatalf("%v", err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	text := []byte(strings.Repeat(line1+"\n", 1000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := readLines(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
