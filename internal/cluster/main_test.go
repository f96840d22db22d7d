package cluster_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/cluster"
)

// TestMain lets the test program be the agent's janitor, and a member of etcd.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == agent.JanitorCommand:
		err = agent.RunJanitor(os.Stdin, os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == cluster.EtcdCommand:
		err = cluster.RunEtcd(os.Args[2:])
	default:
		// The tests wait for elections and time-outs far more than they work.
		flag.Parse()
		if err = flag.Set("test.parallel", "8"); err == nil {
			os.Exit(m.Run())
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
