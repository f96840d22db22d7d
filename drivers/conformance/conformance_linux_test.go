package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/drivers/all"
	"github.com/lockbench/lockbench/drivers/conformance"
	"github.com/lockbench/lockbench/drivers/internal/bed"
	"github.com/lockbench/lockbench/drivers/internal/locktest"
)

func TestMain(m *testing.M) {
	// The tests wait for leases to expire far more than they work.
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "-test.") {
		flag.Parse()
		if err := flag.Set("test.parallel", "8"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(bed.Main(m))
}

func TestDrivers(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("all", func(t *testing.T) {
		for _, d := range all.Drivers() {
			t.Run(d.Info.Name, func(t *testing.T) {
				t.Parallel()
				conformance.Run(t, d, bed.Start(t, d.Info, conformance.TTL))
			})
		}
	})
	locktest.Eventually(t, fmt.Sprintf("no more than the %d goroutines of before", before), func() bool {
		return runtime.NumGoroutine() <= before
	})
}
