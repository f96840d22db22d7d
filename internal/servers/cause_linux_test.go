package servers_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/servers"
	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestErrorsHaveTheCause damages the files of a server that was killed. The error of its start quotes the line of the
// log that says why, however much the server logs behind that.
func TestErrorsHaveTheCause(t *testing.T) {
	for name, c := range map[string]struct {
		backend servers.Backend
		damaged string // how their names end
		want    string
	}{
		"etcd":      {servers.Etcd{}, "/snap/db", "panic: failed to open database"},
		"zookeeper": {servers.ZooKeeper{}, "/currentEpoch", "java.io.IOException: Found damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t, c.backend, 3, true)
			p := b.node("n1").Process
			must.Succeed(t, p.Kill())
			damaged := 0
			must.Succeed(t, filepath.WalkDir(b.host.Scratch(), func(path string, d fs.DirEntry, err error) error {
				if err != nil || !strings.Contains(path, "bed-n1/") || !strings.HasSuffix(path, c.damaged) {
					return err
				}
				damaged++
				return os.WriteFile(path, []byte("damaged"), 0o600)
			}))
			if err := p.Start(t.Context()); damaged != 1 || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d files damaged; error: %v", damaged, err)
			}
		})
	}
}
