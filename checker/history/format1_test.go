package history

import (
	"reflect"
	"strings"
	"testing"
)

// TestFormat1 holds what the lines of format 1 say today: lockbench wrote whom a fault hit and how as one text, and a
// heal named the text of the fault that it undid.
func TestFormat1(t *testing.T) {
	silent := Fault{Step: 1, Role: "holder", Hosts: []string{"c1"}, Settings: map[string]string{"dead-peer": "1s"}}
	jump := Fault{Step: 2, Role: "all", Hosts: []string{"n1", "n2"}, Settings: map[string]string{"offset": "-3s"}}
	again := Fault{Step: 3, Role: "n3", Hosts: []string{"n3"}, Peers: []string{"c1", "resource"}}
	foreign := Fault{Step: 4, Role: "all of it, both ways: now"}
	cut, stop := Fault{Step: 5, Role: "c1", Hosts: []string{"c1"}}, Fault{Step: 6, Role: "c1", Hosts: []string{"c1"}}
	var ops []Op
	r := NewReader(strings.NewReader(strings.TrimSpace(`
{"time":1,"client":"nemesis","process":-1,"type":"invoke","f":"phase","value":"cut, paused"}
{"time":2,"client":"nemesis","process":-1,"type":"invoke","f":"partition","value":"holder: c1; servers drop who is silent for 1s"}
{"time":3,"client":"nemesis","process":-1,"type":"ok","f":"partition","value":"holder: c1; servers drop who is silent for 1s"}
{"time":4,"client":"nemesis","process":-1,"type":"invoke","f":"clock-jump","value":"all: n1,n2 by -3s (2)"}
{"time":5,"client":"nemesis","process":-1,"type":"invoke","f":"heal","value":"holder: c1; servers drop who is silent for 1s"}
{"time":6,"client":"nemesis","process":-1,"type":"ok","f":"heal","value":"holder: c1; servers drop who is silent for 1s"}
{"time":7,"client":"nemesis","process":-1,"type":"invoke","f":"partition","value":"n3 from c1,resource"}
{"time":8,"client":"nemesis","process":-1,"type":"invoke","f":"storm","value":"all of it, both ways: now"}
{"time":9,"client":"nemesis","process":-1,"type":"ok","f":"heal","value":"n3 from c1,resource"}
{"time":10,"client":"nemesis","process":-1,"type":"ok","f":"heal","value":"nobody knows what"}
{"time":11,"client":"nemesis","process":-1,"type":"invoke","f":"partition","value":"c1"}
{"time":12,"client":"nemesis","process":-1,"type":"invoke","f":"pause","value":"c1"}
{"time":13,"client":"nemesis","process":-1,"type":"info","f":"partition","value":"c1"}
`)))
	for {
		op, err := r.Next()
		if err != nil {
			break
		}
		ops = append(ops, op)
	}
	want := []*Fault{nil, &silent, &silent, &jump, &silent, &silent, &again, &foreign, &again, nil, &cut, &stop, &cut}
	if len(ops) != len(want) || ops[0].Phase != "cut, paused" {
		t.Fatalf("got %d lines, the first of phase %q", len(ops), ops[0].Phase)
	}
	for i := range want {
		if !reflect.DeepEqual(ops[i].Fault, want[i]) {
			t.Errorf("line %d: got %+v, want %+v", i+1, ops[i].Fault, want[i])
		}
	}
}
