package scenarios

import (
	"strings"
	"testing"
)

func TestResource(t *testing.T) {
	s, err := Load("partition")
	if err != nil {
		t.Fatal(err)
	}
	s.Workload.Resource = InTransaction
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	s.Workload.OppositeOrder, s.Workload.Locks = true, 2
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "$.workload.resource") {
		t.Errorf("two locks in one transaction: %v", err)
	}
	const head = "name: x\nsummary: y\nworkload: {resource: "
	if _, err := Parse("x.yaml", []byte(head+"in-transaction}\n")); err == nil || strings.Contains(err.Error(), "not external") {
		t.Errorf("in-transaction: %v", err)
	}
	if _, err := Parse("x.yaml", []byte(head+"nowhere}\n")); err == nil || !strings.Contains(err.Error(), "not external or in-transaction") {
		t.Errorf("nowhere: %v", err)
	}
}
