package export

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/checker/history"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// drawn is what a page holds for each lock.
type drawn struct {
	Partitions []struct {
		History               []struct{ Description string }
		PartialLinearizations [][]struct{ StateDescription string }
	}
	Annotations []struct{ Tag, Description string }
}

func draw(t *testing.T, ops []history.Op) drawn {
	t.Helper()
	var b bytes.Buffer
	must.Succeed(t, Picture(&b, ops))
	_, data, found := strings.Cut(b.String(), "const data = ")
	if !found {
		t.Fatal("the page has no data")
	}
	var d drawn
	must.Succeed(t, json.NewDecoder(strings.NewReader(data)).Decode(&d))
	return d
}

// longest is how many of the operations on a lock can be put in an order that a mutex allows.
func (d *drawn) longest(lock int) int {
	n := 0
	for _, l := range d.Partitions[lock].PartialLinearizations {
		n = max(n, len(l))
	}
	return n
}

func TestPictureShowsAnOverlap(t *testing.T) {
	ops := example(t)
	d := draw(t, ops)
	if len(d.Partitions) != 1 || len(d.Partitions[0].History) != 4 || d.longest(0) != 1 {
		t.Errorf("two holds that overlap, of which only the first acquire fits a mutex: got %+v", d.Partitions)
	}
	tags := map[string]int{}
	for _, a := range d.Annotations {
		tags[a.Tag]++
	}
	if tags["resource"] != 3 || tags["nemesis"] != 4 {
		t.Errorf("got %v of %+v", tags, d.Annotations)
	}
}

// TestPictureOfARightLock has two locks; the second grant of the first comes after the release of the first.
func TestPictureOfARightLock(t *testing.T) {
	var ops []history.Op
	add := func(process int64, typ history.Type, f, lock string, grant int64) {
		n := int64(len(ops))
		ops = append(ops, history.Op{Index: n, Time: n, Client: "c1", Process: process, Type: typ, F: f, Lock: lock, Grant: grant})
	}
	add(0, history.Invoke, history.Acquire, "a", 1)
	add(1, history.Invoke, history.Acquire, "a", 1)
	add(0, history.OK, history.Acquire, "a", 1)
	add(0, history.Invoke, history.Release, "a", 1)
	add(1, history.OK, history.Acquire, "a", 1)
	add(0, history.OK, history.Release, "a", 1)
	add(0, history.Invoke, history.Acquire, "b", 2)
	add(0, history.OK, history.Acquire, "b", 2)
	d := draw(t, ops)
	if len(d.Partitions) != 2 {
		t.Fatalf("got %+v", d)
	}
	for lock, n := range []int{4, 2} {
		if got := d.longest(lock); got != n || len(d.Partitions[lock].History) != n {
			t.Errorf("lock %d: %d of %d operations in order, want %d", lock, got, len(d.Partitions[lock].History), n)
		}
	}
}

func TestNoPicture(t *testing.T) {
	var many []history.Op
	for n := range int64(MaxPicture + 1) {
		for _, typ := range []history.Type{history.Invoke, history.OK} {
			i := int64(len(many))
			many = append(many, history.Op{Index: i, Time: i, Client: "c1", Type: typ, F: history.Acquire, Lock: "a", Grant: n + 1})
		}
	}
	hosts := []history.Op{{Client: "nemesis", Process: history.NemesisProcess, Type: history.OK, F: history.Hosts, Fault: &history.Fault{Hosts: []string{"host1", "host2"}}}}
	for want, ops := range map[string][]history.Op{
		"a picture shows at most 100 grants, and there are 101: --incident 1": many,
		"a picture needs one clock": hosts,
		"line 1":                    {{}},
	} {
		var b bytes.Buffer
		if err := Picture(&b, ops); err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("got %v and %d bytes, want %q", err, b.Len(), want)
		}
	}
}
