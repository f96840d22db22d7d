package servers_test

import (
	"flag"
	"os"
	"testing"

	"github.com/lockbench/lockbench/internal/servers/etcdmember"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// inParallel runs the tests, which wait for elections and time-outs far more than they work.
type inParallel struct{ *testing.M }

func (m inParallel) Run() int {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		return 1
	}
	return m.M.Run()
}

// TestMain lets the test program be the janitor, and a member of etcd.
func TestMain(m *testing.M) {
	os.Exit(testenv.Main(inParallel{m}, map[string]func([]string) error{etcdmember.Command: etcdmember.Run}))
}
