package checker

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
)

// seeds are histories to be changed.
func seeds(t testing.TB) [][]history.Op {
	t.Helper()
	paths, err := filepath.Glob("judge/testdata/*.jsonl")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no seeds: %v", err)
	}
	var all [][]history.Op
	for _, path := range append(paths, "../examples/history.jsonl") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var ops []history.Op
		in := history.NewReader(bytes.NewReader(b))
		for {
			op, err := in.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					ops = nil // it is there to be refused
				}
				break
			}
			ops = append(ops, op)
		}
		if len(ops) > 0 {
			all = append(all, ops)
		}
	}
	for _, row := range slices.Concat(exclusionRows, dataRows) {
		all = append(all, script(t, row.lines))
	}
	return all
}

// mutated changes lines of a history: each three bytes say how, which line, and to what.
func mutated(ops []history.Op, changes []byte) []history.Op {
	ops = slices.Clone(ops)
	for c := range slices.Chunk(changes, 3) {
		if len(c) < 3 || len(ops) == 0 {
			break
		}
		i, v := int(c[1])%len(ops), int64(c[2])
		op := &ops[i]
		switch c[0] % 16 {
		case 0:
			ops = slices.Delete(ops, i, i+1)
		case 1:
			ops = slices.Insert(ops, i, *op)
		case 2:
			j := int(v) % len(ops)
			ops[i], ops[j] = ops[j], ops[i]
		case 3:
			op.Time = max(0, op.Time+v-128)
		case 4:
			op.Time = ops[int(v)%len(ops)].Time
		case 5:
			op.Client = ops[int(v)%len(ops)].Client
		case 6:
			op.Process = v%8 - 1
		case 7:
			op.Type = []history.Type{history.Invoke, history.OK, history.Fail, history.Info, history.Apply, history.Reject}[v%6]
		case 8:
			op.F = []string{history.Acquire, history.Read, history.Write, history.Release, history.Lost, history.Abandon, history.Kill, history.Heal, "partition"}[v%9]
		case 9:
			op.Grant = v % 8
		case 10:
			op.Request = v % 8
		case 11:
			op.Token = history.Uint{V: uint64(v / 2), Set: v%2 > 0}
		case 12:
			op.Seq = uint64(v)
		case 13:
			op.Base = history.Uint{V: uint64(v / 2), Set: v%2 > 0}
		case 14:
			op.Version = history.Uint{V: uint64(v / 2), Set: v%2 > 0}
		case 15:
			op.Lock = []string{"l", "m", ""}[v%3]
		}
	}
	return numbered(ops)
}

// FuzzCheck holds that a history is accepted or refused alike, with the same result, whether it is judged in memory
// with everything remembered, or from text and with as little remembered as can be.
func FuzzCheck(f *testing.F) {
	all := seeds(f)
	for i := range all {
		f.Add(byte(i), byte(0), []byte{})
		f.Add(byte(i), byte(i), []byte{3, byte(i), 130, 7, byte(3 * i), 2})
	}
	f.Fuzz(func(t *testing.T, seed, options byte, changes []byte) {
		ops := mutated(all[int(seed)%len(all)], changes[:min(len(changes), 48)])
		opt := Options{StuckAfter: int64(options & 3), GrantedWithin: int64(options >> 2 & 3), Reentrant: options&16 > 0, DataOptional: options&32 > 0}
		want, wantErr := inPasses(&retain{all: true}, feeding(ops), opt)
		var text []byte
		for i := range ops {
			text = history.AppendLine(text, &ops[i])
		}
		read := func(feed func(*history.Op) error) error { // as ForEach, whose goroutine would let coverage flicker
			in := history.NewReader(bytes.NewReader(text))
			for {
				op, err := in.Next()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err == nil {
					err = feed(&op)
				}
				if err != nil {
					return err
				}
			}
		}
		for name, r := range []*retain{newRetain(), {watched: 1, newest: 1}} {
			got, err := inPasses(r, read, opt)
			if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
				t.Fatalf("pass %d: got %+v, %v\nin memory %+v, %v\n%s", name, got, err, want, wantErr, text)
			}
		}
		if _, err := history.Parse(ops); (err == nil) != (wantErr == nil) {
			t.Fatalf("parsed: %v, judged: %v\n%s", err, wantErr, text)
		}
	})
}
