package local

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/provision"
)

// A child gets what it needs to run, and nothing of what else the user has in the environment.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{
		"DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "PGSERVICE", "PGPASSFILE", "PGSSLMODE", "ETCD_NAME", "REDISCLI_AUTH", "ZOO_LOG_DIR",
		"JVMFLAGS", "CLASSPATH", "JAVA_TOOL_OPTIONS", "HTTP_PROXY",
	} {
		t.Setenv(name, "of-the-user")
	}
	t.Setenv("TZ", "Asia/Tokyo")
	l := host(t)
	dir, err := l.Dir("x", nil)
	if err != nil {
		t.Fatal(err)
	}
	log := dir + "/log"
	p, err := l.Start(provision.Command{Name: "env", Path: "/usr/bin/env", Dir: dir, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Exited()
	started, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	ran, err := l.Output(t.Context(), "/usr/bin/env")
	if err != nil {
		t.Fatal(err)
	}
	janitor, err := os.ReadFile("/proc/" + strconv.Itoa(l.janitor.pid) + "/environ")
	if err != nil {
		t.Fatal(err)
	}
	for who, env := range map[string]string{
		"a process": string(started), "a program that was asked": ran, "the janitor": strings.ReplaceAll(string(janitor), "\x00", "\n"),
	} {
		lines := strings.Split(strings.TrimSpace(env), "\n")
		for _, line := range lines {
			if name, _, _ := strings.Cut(line, "="); !slices.Contains(passed, name) {
				t.Errorf("%s has the user's %s", who, name)
			}
		}
		for _, want := range []string{"PATH=" + os.Getenv("PATH"), "TZ=Asia/Tokyo"} {
			if !slices.Contains(lines, want) {
				t.Errorf("%s has no %s", who, want)
			}
		}
	}
}
