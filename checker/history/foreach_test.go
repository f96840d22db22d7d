package history

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestForEachReadsAsReader(t *testing.T) {
	var text []byte
	for i := range 3*batchLines + 7 {
		op := Op{Index: int64(2 * i), Time: int64(i), Client: fmt.Sprintf("c%d", i%3), Type: Invoke, F: Acquire, Lock: "l", Grant: int64(i + 1)}
		text = AppendLine(text, &op)
	}
	want, err := readLines(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	var got []Op
	collect := func(op *Op) error {
		got = append(got, *op)
		return nil
	}
	if err := ForEach(strings.NewReader(string(text)), collect); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d ops, %v", len(got), err)
	}
	var line *LineError
	got = nil
	if err := ForEach(strings.NewReader(string(text)+"{"), collect); !errors.As(err, &line) || line.Line != len(want)+1 || len(got) != len(want) {
		t.Errorf("%d ops, %v", len(got), err)
	}
	broken := errors.New("broken")
	if err := ForEach(iotest.ErrReader(broken), collect); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	n := 0
	err = ForEach(strings.NewReader(string(text)), func(*Op) error {
		if n++; n == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) || n != 10 {
		t.Errorf("%d ops, %v", n, err)
	}
}

// TestPlainLines changes lines as lockbench writes them, which are plain, and holds that both decoders read the same.
func TestPlainLines(t *testing.T) {
	lines := []string{
		line1,
		`{"index":7,"time":5,"client":"c1","process":0,"type":"apply","f":"write","lock":"l","grant":1,"request":2,"token":0,"seq":3,"base":0,"version":1}` + "\n",
		`{"index":8,"time":6,"client":"nemesis","process":-1,"type":"info","f":"partition","error":"no answer"}` + "\n",
	}
	for _, line := range lines {
		d := decoder{known: map[string]string{}}
		if !d.decodePlain([]byte(line), new(Op)) {
			t.Errorf("not plain: %s", line)
		}
	}
	changed := 0
	for _, line := range lines {
		for at := range len(line) {
			for _, with := range []string{"", `"`, "0", "9", "-", ",", "}", " ", `\`, "a", "\n", "\x00", "\xff", "0000000000000000000"} {
				changed += comparePlain(t, line[:at]+with+line[at+1:])
				changed += comparePlain(t, line[:at]+with+line[at:])
			}
		}
	}
	if changed == 0 {
		t.Error("no changed line is plain")
	}
}

// comparePlain returns 1 if the line is plain.
func comparePlain(t *testing.T, line string) int {
	d := decoder{known: map[string]string{}}
	var fast, slow Op
	if !d.decodePlain([]byte(line), &fast) {
		return 0
	}
	d.line, d.at = []byte(line), 0
	var seen [len(fieldNames)]bool
	if err := d.object(&slow, &seen); err != nil || slow != fast {
		t.Errorf("%s: %+v, %+v, %v", line, fast, slow, err)
	}
	return 1
}
