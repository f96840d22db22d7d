package local

import (
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	frames := strings.Repeat("go.etcd.io/etcd.newBackend({{0xf5, 0x2f}, ...})\n\t/root/go.etcd.io/backend.go:215 +0x3c8\n", 50)
	java := strings.Repeat("\tat org.apache.zookeeper.QuorumPeer.start(QuorumPeer.java:1132)\n", 50) + "\t... 4 more\n"
	for name, c := range map[string]struct {
		log, want string
		n         int
	}{
		"lines":   {"a\nb\r\nc\n\n", "b\nc", 2},
		"fewer":   {"a\n", "a", 2},
		"nothing": {"\n", "", 2},
		"a panic of Go": {
			"starts\npanic: failed to open database\n\ngoroutine 96 [running]:\n" + frames + "created by main in goroutine 1\n\t/root/backend.go:75 +0x18d\nexit status 2\n",
			"panic: failed to open database\nexit status 2", 2,
		},
		"an exception": {
			"starts\nERROR main - Invalid config\nConfigException: Error processing zoo.cfg\n" + java + "Caused by: java.lang.IllegalArgumentException: myid file is missing\n" + java + "INFO audit is disabled\n",
			"ERROR main - Invalid config\nConfigException: Error processing zoo.cfg\nCaused by: java.lang.IllegalArgumentException: myid file is missing\nINFO audit is disabled", 2,
		},
		"a cause far up": {
			"FATAL:  one\nFATAL:  two\nFATAL:  three\n" + `{"level":"fatal","msg":"four"}` + "\n" + strings.Repeat("LOG:  shutting down\n", 100),
			"FATAL:  two\nFATAL:  three\n" + `{"level":"fatal","msg":"four"}` + "\nLOG:  shutting down", 1,
		},
		"a long line": {"panic: " + strings.Repeat("é", 1000), "panic: " + strings.Repeat("é", 246) + "…", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tail(c.log, c.n); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
