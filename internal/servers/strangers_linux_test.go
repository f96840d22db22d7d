package servers_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/servers"
)

// Whoever does not know the credentials of a run's servers can neither read from them nor write to them, and nothing
// that other users can read tells the credentials.
func TestStrangersAtServers(t *testing.T) {
	for backend, s := range map[servers.Backend]store{
		servers.Redis{}: inRedis, servers.Etcd{}: inEtcd, servers.ZooKeeper{}: inZooKeeper, servers.Postgres{}: inPostgres,
	} {
		t.Run(string(backend.Name()), func(t *testing.T) {
			b := newBed(t, backend, 1, false)
			as := b.Credentials()
			strangers := []drivers.Credentials{{}, {User: as.User}, {User: as.User, Password: "guess"}, {User: "postgres", Password: "postgres"}}
			for _, stranger := range strangers {
				_, err := try(t, func(ctx context.Context) (any, error) {
					return nil, s.set(ctx, place{b.addr("n1"), stranger}, "of a stranger")
				})
				if err == nil {
					t.Errorf("somebody without the credentials (%+v) can write", stranger)
				}
			}
			b.put(s, "n1", "ours")
			for _, stranger := range strangers {
				got, err := try(t, func(ctx context.Context) (string, error) { return s.get(ctx, place{b.addr("n1"), stranger}) })
				if err == nil {
					t.Errorf("somebody without the credentials (%+v) can read %q", stranger, got)
				}
			}
			b.wants(s, "n1", "ours")
			b.keepsSecret(as)
		})
	}
}

// keepsSecret looks for the password where everybody can read: command lines and the servers' logs.
func (b *bed) keepsSecret(as drivers.Credentials) {
	b.t.Helper()
	for _, pattern := range []string{"/proc/[0-9]*/cmdline", filepath.Join(b.logs, "*.log")} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			b.t.Errorf("%s: %v, %v", pattern, paths, err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(content), as.Password) { // else the process is gone
				b.t.Errorf("%s has the password", path)
			}
		}
	}
}

// A client of PostgreSQL, which has the credentials, cannot have the server run programs or read files.
func TestPostgresClientIsNoSuperuser(t *testing.T) {
	b := newBed(t, servers.Postgres{}, 1, false)
	conn, err := postgresConn(t.Context(), b.at("n1"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range []string{
		"copy (select 1) to program 'cat > /dev/null'", "select pg_read_file('postmaster.pid')", "alter system set port = 1",
		"alter role lockbench superuser", "select rolpassword from pg_authid",
	} {
		if _, err := conn.Exec(t.Context(), sql); err == nil {
			t.Errorf("a client can: %s", sql)
		}
	}
}

// The HTTP API of etcd leads to nothing more than its gRPC API does.
func TestEtcdOverHTTP(t *testing.T) {
	b := newBed(t, servers.Etcd{}, 1, false)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.addr("n1")+"/v3/kv/range", strings.NewReader(`{"key":"YQ=="}`))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if reply.StatusCode == http.StatusOK {
		t.Error("it serves anybody")
	}
	if err := reply.Body.Close(); err != nil {
		t.Error(err)
	}
}

// A session of a stranger with ZooKeeper finds no node that it can use.
func TestZooKeeperNodesOfStrangers(t *testing.T) {
	b := newBed(t, servers.ZooKeeper{}, 1, false)
	b.put(inZooKeeper, "n1", "ours")
	err := inZooKeeperSession(t.Context(), place{addr: b.addr("n1")}, func(c *zk.Conn) error {
		for _, parent := range []string{"", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/key"} {
			if _, err := c.Create(parent+"/new", nil, 0, zk.WorldACL(zk.PermAll)); !errors.Is(err, zk.ErrNoAuth) {
				t.Errorf("a stranger makes a node below %q: %v", parent+"/", err)
			}
		}
		for _, path := range []string{"/", "/key"} {
			if _, _, err := c.Children(path); !errors.Is(err, zk.ErrNoAuth) {
				t.Errorf("a stranger lists %s: %v", path, err)
			}
			if _, err := c.SetACL(path, zk.WorldACL(zk.PermAll), -1); !errors.Is(err, zk.ErrNoAuth) {
				t.Errorf("a stranger opens %s: %v", path, err)
			}
		}
		if err := c.Delete("/key", -1); !errors.Is(err, zk.ErrNoAuth) {
			t.Errorf("a stranger removes /key: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
