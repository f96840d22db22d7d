// Package setup holds the script that installs the servers, and its tests: they run it in a tree of their own, with
// stand-ins for apt-get, sudo and id.
package setup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// aptGet stands in for apt-get: it notes its call and what it finds in place of policy-rc.d and of PostgreSQL's
// settings, does what $APT_DOES says, and brings what the packages bring.
const aptGet = `#!/bin/sh
root=$LOCKBENCH_SETUP_ROOT
echo "apt-get $*" >>"$root/calls"
case " $* " in *' install '*) ;; *) exit 0 ;; esac
"$root/usr/sbin/policy-rc.d" redis-server start; echo "policy-rc.d says $?" >>"$root/calls"
cat "$root/etc/postgresql-common/createcluster.d/lockbench.conf" >>"$root/calls"
case ${APT_DOES-} in
fail) echo 'E: Unable to locate package'; exit 100 ;;
terminate) kill -TERM $PPID; exit 0 ;;
nothing) exit 0 ;;
esac
mkdir -p "$root/usr/share/java" "$root/usr/lib/postgresql/15/bin"
touch "$root/usr/share/java/zookeeper.jar" "$root/usr/lib/postgresql/15/bin/postgres"
for program in redis-server java gcc chromium; do
	printf '#!/bin/sh\n' >"$root/bin/$program"; chmod 755 "$root/bin/$program"
done
`

// machine is the tree that the script sees.
type machine struct {
	t    *testing.T
	root string
	env  []string
}

// newMachine makes a machine that has the basic programs and whatever of apt-get and sudo is named.
func newMachine(t *testing.T, programs ...string) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir()}
	for _, p := range []string{"sh", "cat", "chmod", "env", "flock", "grep", "mkdir", "mktemp", "mv", "rm", "rmdir", "sed", "touch"} {
		path, err := exec.LookPath(p)
		if err != nil {
			t.Fatal(err)
		}
		m.dir("bin")
		must.Succeed(t, os.Symlink(path, filepath.Join(m.root, "bin", p)))
	}
	m.dir("usr/sbin")
	m.dir("etc")
	m.file("bin/id", "#!/bin/sh\necho ${FAKE_UID-0}\n")
	m.file("bin/update-rc.d", "#!/bin/sh\necho \"update-rc.d $*\" >>\"$LOCKBENCH_SETUP_ROOT/calls\"\n")
	fakes := map[string]string{
		"apt-get": aptGet,
		"sudo":    "#!/bin/sh\n[ \"$1\" = -n ] && exit 0\nunset FAKE_UID\nexec \"$@\"\n",
		"strict sudo": "#!/bin/sh\n[ \"$1\" = -n ] && exit 1\n" +
			"echo 'asked for a password' >>\"$LOCKBENCH_SETUP_ROOT/calls\"\nexit 1\n",
	}
	for _, p := range programs {
		m.file("bin/"+strings.TrimPrefix(p, "strict "), fakes[p])
	}
	return m
}

func (m *machine) dir(path string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Join(m.root, path), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) file(path, content string) {
	m.t.Helper()
	m.dir(filepath.Dir(path))
	if err := os.WriteFile(filepath.Join(m.root, path), []byte(content), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// run runs the script and returns its exit code and what it said.
func (m *machine) run(args ...string) (int, string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), filepath.Join(m.root, "bin", "sh"), append([]string{"install.sh"}, args...)...)
	cmd.Env = append([]string{"PATH=" + filepath.Join(m.root, "bin"), "LOCKBENCH_SETUP_ROOT=" + m.root, "TMPDIR=" + m.t.TempDir()}, m.env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// calls is what was called, line by line.
func (m *machine) calls() string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.root, "calls"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return string(b)
}

// tree lists what lies below sbin and etc: all that the script may change for a while.
func (m *machine) tree() []string {
	m.t.Helper()
	var found []string
	for _, top := range []string{"usr/sbin", "etc"} {
		err := filepath.WalkDir(filepath.Join(m.root, top), func(path string, d os.DirEntry, err error) error {
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			line := path + " " + info.Mode().String()
			if info.Mode().IsRegular() {
				b, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				line += " " + info.ModTime().String() + " " + string(b)
			}
			found = append(found, line)
			return nil
		})
		if err != nil {
			m.t.Fatal(err)
		}
	}
	return found
}

func TestNothingToInstall(t *testing.T) {
	m := newMachine(t, "apt-get", "sudo")
	for _, f := range []string{"bin/redis-server", "bin/java", "usr/share/java/zookeeper.jar", "usr/lib/postgresql/15/bin/postgres"} {
		m.file(f, "")
	}
	m.env = []string{"FAKE_UID=1000"}
	if code, out := m.run(); code != 0 || out != "setup: nothing to install\n" || m.calls() != "" {
		t.Errorf("exit code %d, said %q, called %q", code, out, m.calls())
	}
	if code, out := m.run("tests"); code != 0 || out != "setup: nothing to install\n" {
		t.Errorf("tests, not on Debian: exit code %d, said %q", code, out)
	}
	if code, out := m.run("compiler"); code != 0 || !strings.Contains(m.calls(), "--no-install-recommends gcc libc6-dev\n") {
		t.Errorf("compiler: exit code %d, said %q, called %q", code, out, m.calls())
	}
}

// The tests' browser is a package on Debian only, and not needed where there is another one.
func TestInstallTheBrowser(t *testing.T) {
	for _, c := range []struct {
		name, system, has, argument string
		want                        bool
	}{
		{"Debian", "ID=debian\n", "", "tests", true},
		{"Debian, with a compiler", "PRETTY_NAME=\"Debian\"\nID=debian\n", "", "compiler", true},
		{"nobody tests", "ID=debian\n", "", "", false},
		{"there is one", "ID=debian\n", "google-chrome", "tests", false},
		{"a relative", "ID=ubuntu\nID_LIKE=debian\n", "", "tests", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, "apt-get")
			m.file("etc/os-release", c.system)
			if c.has != "" {
				m.file("bin/"+c.has, "#!/bin/sh\n")
			}
			var args []string
			if c.argument != "" {
				args = []string{c.argument}
			}
			if code, out := m.run(args...); code != 0 {
				t.Fatalf("exit code %d: %s", code, out)
			}
			if got := strings.Contains(m.calls(), " chromium"); got != c.want {
				t.Errorf("chromium installed: %v, want %v; called %q", got, c.want, m.calls())
			}
		})
	}
}

func TestNothingCanBeInstalled(t *testing.T) {
	for _, c := range []struct {
		name, says string
		programs   []string
		uid        string
	}{
		{"another system", "no apt-get", []string{"sudo"}, "0"},
		{"no root, no sudo", "there is no sudo", []string{"apt-get"}, "1000"},
		{"sudo asks, nobody answers", "no terminal", []string{"apt-get", "strict sudo"}, "1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, c.programs...)
			m.env = []string{"FAKE_UID=" + c.uid}
			code, out := m.run()
			if code != 3 || m.calls() != "" {
				t.Errorf("exit code %d, want 3; called %q", code, m.calls())
			}
			for _, want := range []string{c.says, "Redis 7", "ZooKeeper 3.8", "Java 11", "PostgreSQL 13", "zookeeper default-jre-headless postgresql"} {
				if !strings.Contains(out, want) {
					t.Errorf("it does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestInstall(t *testing.T) {
	const held = "policy-rc.d says 101\ncreate_main_cluster = false\n"
	for _, c := range []struct {
		name    string
		env     []string
		code    int
		says    string
		disable bool
	}{
		{"as root", nil, 0, "no service was started", true},
		{"with sudo", []string{"FAKE_UID=1000"}, 0, "becoming root with sudo", true},
		{"apt-get fails", []string{"APT_DOES=fail"}, 1, "  | E: Unable to locate package", false},
		{"terminated", []string{"APT_DOES=terminate"}, 143, "apt-get install", false},
		{"packages without programs", []string{"APT_DOES=nothing"}, 1, "not found: redis-server zookeeper", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, "apt-get", "sudo")
			m.file("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 104\n")
			old := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			must.Succeed(t, os.Chtimes(filepath.Join(m.root, "usr/sbin/policy-rc.d"), old, old))
			before := m.tree()
			m.env = c.env
			code, out := m.run()
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d, want %d; it should say %q:\n%s", code, c.code, c.says, out)
			}
			if !strings.Contains(m.calls(), held) {
				t.Errorf("services were not held back: %q", m.calls())
			}
			if got := strings.Contains(m.calls(), "update-rc.d redis-server disable"); got != c.disable {
				t.Errorf("redis-server disabled: %v, want %v", got, c.disable)
			}
			if after := m.tree(); !slices.Equal(before, after) {
				t.Errorf("the system was\n%q\nand is now\n%q", before, after)
			}
		})
	}
}

// A run that was killed left its own policy in place of the machine's.
func TestInstallAfterKill(t *testing.T) {
	m := newMachine(t, "apt-get")
	const machines = "#!/bin/sh\nexit 104\n"
	m.file("usr/sbin/policy-rc.d", "#!/bin/sh\n# lockbench: no service starts while its packages are installed\nexit 101\n")
	m.file("usr/sbin/policy-rc.d.before-lockbench", machines)
	m.file("etc/postgresql-common/createcluster.d/lockbench.conf", "create_main_cluster = false\n")
	if code, out := m.run(); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	if b, err := os.ReadFile(filepath.Join(m.root, "usr/sbin/policy-rc.d")); err != nil || string(b) != machines {
		t.Errorf("policy-rc.d is %q (%v)", b, err)
	}
	for _, left := range []string{"usr/sbin/policy-rc.d.before-lockbench", "etc/postgresql-common/createcluster.d/lockbench.conf"} {
		if _, err := os.Stat(filepath.Join(m.root, left)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", left, err)
		}
	}
}

func TestUnknownArgument(t *testing.T) {
	m := newMachine(t, "apt-get")
	if code, out := m.run("everything"); code != 1 || !strings.Contains(out, "unknown argument everything") || m.calls() != "" {
		t.Errorf("exit code %d, said %q, called %q", code, out, m.calls())
	}
}
