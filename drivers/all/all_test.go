package all

import (
	"testing"

	"github.com/lockbench/lockbench/drivers"
)

// Who chooses a lock must know whose code tells that it is lost.
func TestEveryDriverSaysWhoTellsTheLoss(t *testing.T) {
	for _, d := range Drivers() {
		if by := d.Info.LossBy; by != drivers.LossByLibrary && by != drivers.LossByLockbench {
			t.Errorf("%s: %q", d.Info.Name, by)
		}
	}
}
