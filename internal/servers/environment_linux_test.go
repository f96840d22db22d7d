package servers_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/provision/local"
	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/testenv"
)

// Servers start as ever, whatever the user's variables ask of servers and clients of their kind, and see none of them.
func TestEnvironmentOfServers(t *testing.T) {
	for name, value := range map[string]string{
		"DB_PASSWORD": "secret", "PGSERVICE": "none", "PGSSLMODE": "require", "PGDATA": "/none", "PGOPTIONS": "-c port=1",
		"JAVA_TOOL_OPTIONS": "-Xmx1k", "JVMFLAGS": "-Xmx1k", "CLASSPATH": "/none", "ZOO_LOG_DIR": "/none", "ETCD_NAME": "other",
		"ETCD_DATA_DIR": "/none", "REDISCLI_AUTH": "secret",
	} {
		t.Setenv(name, value)
	}
	for _, b := range servers.Backends() {
		t.Run(string(b.Name()), func(t *testing.T) {
			_, err := b.Detect(t.Context(), local.Programs{})
			testenv.NeedServer(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			c, err := b.Start(ctx, servers.Spec{Name: "env", Nodes: 1, Host: newHost(t), LogDir: t.TempDir(), TTL: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.Nodes()[0].Process.PID()), "environ"))
			if err != nil {
				t.Error(err)
			}
			if bytes.Contains(environ, []byte("DB_PASSWORD")) {
				t.Error("the server has the user's variables")
			}
			if err := c.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
