package scenarios

import "testing"

func TestShippedScenariosLoad(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no scenario is shipped")
	}
}
