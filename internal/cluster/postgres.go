package cluster

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/pgsession"
)

// postgresGrace is how long a server may take to shut down before it is killed. Its data is thrown away, so
// there is nothing to wait for but an orderly log.
const postgresGrace = 2 * time.Second

// Postgres starts PostgreSQL: one server with a data directory of its own, which anybody on loopback may enter.
type Postgres struct{}

// Name implements Backend.
func (Postgres) Name() drivers.Backend { return drivers.Postgres }

// Detect implements Backend.
func (Postgres) Detect(ctx context.Context) (string, error) {
	bin, err := postgresBin()
	if err != nil {
		return "", err
	}
	if _, err := postgresUser(); err != nil {
		return "", err
	}
	path := filepath.Join(bin, "postgres")
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	fields := strings.Fields(string(out)) // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
	if len(fields) < 3 {
		return "", fmt.Errorf("%s calls itself %q, which names no version", path, out)
	}
	return fields[2], nil
}

// Start implements Backend.
func (Postgres) Start(ctx context.Context, spec Spec) (Cluster, error) {
	if spec.Nodes != 1 {
		return nil, fmt.Errorf("start PostgreSQL: %d nodes asked for, it has one", spec.Nodes)
	}
	p, err := newPostgres(spec)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := p.initdb(ctx); err != nil {
		return nil, fmt.Errorf("make the data directory of PostgreSQL: %w", err)
	}
	if err := p.serve(ctx); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	return p, nil
}

// postgres is a running server.
type postgres struct {
	spec    Spec
	bin     string // directory of the programs
	data    string // data directory
	user    *agent.User
	node    Node
	version string
}

func newPostgres(spec Spec) (*postgres, error) {
	p := &postgres{spec: spec, node: Node{Name: NodeName(0)}}
	var err error
	if p.bin, err = postgresBin(); err != nil {
		return nil, err
	}
	if p.user, err = postgresUser(); err != nil {
		return nil, err
	}
	if p.node.Addr, err = spec.Agent.Address(p.name()); err != nil {
		return nil, err
	}
	if p.data, err = spec.Agent.Dir(spec.Name + "-" + p.node.Name); err != nil {
		return nil, err
	}
	if p.user != nil {
		if err := os.Chown(p.data, int(p.user.UID), int(p.user.GID)); err != nil {
			return nil, fmt.Errorf("hand the data directory to the server's user: %w", err)
		}
	}
	return p, nil
}

func (p *postgres) name() string { return "postgres " + p.spec.Name + " " + p.node.Name }

func (p *postgres) start(program string, args ...string) (*agent.Process, error) {
	return p.spec.Agent.Start(agent.Command{
		Name: p.name() + " (" + program + ")", Path: filepath.Join(p.bin, program), Args: args,
		Dir: p.data, Log: p.spec.LogPath(0), User: p.user,
	})
}

// initdb fills the data directory. It does not sync it: if the host fails now, so does the run.
func (p *postgres) initdb(ctx context.Context) error {
	proc, err := p.start("initdb", "--pgdata", p.data, "--no-sync", "--auth", "trust",
		"--username", pgsession.User, "--locale", "C", "--encoding", "UTF8")
	if err != nil {
		return err
	}
	select {
	case <-proc.Exited():
		return proc.Err()
	case <-ctx.Done():
		// Not killed: the server that it runs would leave its shared memory behind.
		return errors.Join(ctx.Err(), proc.Stop(syscall.SIGINT, postgresGrace))
	}
}

// serve starts the server and waits until it answers.
func (p *postgres) serve(ctx context.Context) error {
	host, port, err := net.SplitHostPort(p.node.Addr)
	if err != nil {
		return err
	}
	settings := []string{
		"listen_addresses=" + host,
		"port=" + port,
		// Every process of the server shows this in its command line, by which the janitor finds those whose working
		// directory it may not read.
		"cluster_name=" + filepath.Base(filepath.Dir(p.data)),
		"unix_socket_directories=", // a path below the scratch directory may be longer than a socket's may be
		"max_connections=300",
		// Shared memory for parallel queries in files of the data directory: /dev/shm outlives a killed run.
		"dynamic_shared_memory_type=mmap",
		// What a lock's counter relies on: a commit that was answered survives a crash.
		"fsync=on",
		"synchronous_commit=on",
	}
	args := []string{"-D", p.data}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	if p.node.Process, err = p.start("postgres", args...); err != nil {
		return err
	}
	err = WaitReady(ctx, p.name(), p.node.Process, p.probe)
	if err == nil {
		err = p.disownSharedMemory()
	}
	if err != nil {
		return errors.Join(err, p.Stop())
	}
	return nil
}

// probe asks the server for its version.
func (p *postgres) probe(ctx context.Context) error {
	conf, err := pgsession.Config(p.node.Addr)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return err
	}
	var version string
	err = conn.QueryRow(ctx, "show server_version").Scan(&version)
	p.version, _, _ = strings.Cut(version, " ") // "15.18 (Debian 15.18-0+deb12u1)"
	return errors.Join(err, conn.Close(ctx))
}

// disownSharedMemory removes the server's System V segment from the kernel's table while the server uses it. The
// segment (56 bytes, by which a server sees that another still uses its data directory) then goes with its last
// process, however that ends; else each server that is killed would leave one behind until the next reboot.
func (p *postgres) disownSharedMemory() error {
	const keyAndID = 7 // the line of postmaster.pid that holds the segment's key and its number
	f, err := os.Open(filepath.Join(p.data, "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("find the server's shared memory: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for i := 1; lines.Scan(); i++ {
		if i != keyAndID {
			continue
		}
		var key, id int
		if _, err := fmt.Sscan(lines.Text(), &key, &id); err != nil {
			return fmt.Errorf("find the server's shared memory in %s, line %d %q: %w", f.Name(), i, lines.Text(), err)
		}
		return removeSharedMemory(id, p.user)
	}
	return errors.Join(lines.Err(), fmt.Errorf("%s does not say which shared memory the server uses", f.Name()))
}

// Nodes implements Cluster.
func (p *postgres) Nodes() []Node { return []Node{p.node} }

// Leader implements Cluster.
func (p *postgres) Leader(context.Context) (string, error) { return "", ErrNoLeaderRole }

// Version implements Cluster.
func (p *postgres) Version() string { return p.version }

// Stop implements Cluster: SIGINT is PostgreSQL's "fast" shutdown, which does not wait for clients.
func (p *postgres) Stop() error { return p.node.Process.Stop(syscall.SIGINT, postgresGrace) }

// postgresBin finds the directory with the server's programs: the one on PATH, else the newest that is installed.
func postgresBin() (string, error) {
	if path, err := lookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("look for PostgreSQL in %s: %w", pattern, err)
		}
		for _, dir := range dirs {
			if _, err := lookPath("initdb", dir); err == nil {
				found = append(found, dir)
			}
		}
	}
	if len(found) == 0 {
		return "", errors.New("PostgreSQL is not installed (no initdb on PATH nor in /usr/lib/postgresql/*/bin); install it: apt-get install postgresql")
	}
	return slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(postgresMajor(a), postgresMajor(b)) }), nil
}

// postgresMajor is the version in a path such as "/usr/lib/postgresql/15/bin"; 0 if there is none.
func postgresMajor(dir string) float64 {
	base := filepath.Base(filepath.Dir(dir))
	v, err := strconv.ParseFloat(base[strings.LastIndexByte(base, '-')+1:], 64)
	if err != nil {
		return 0
	}
	return v
}

// postgresUser is whom to run the server as: it refuses to run as root.
func postgresUser() (*agent.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue // the next may exist
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s has the number %q: %w", name, u.Uid, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the group of user %s has the number %q: %w", name, u.Gid, err)
		}
		return &agent.User{UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody: run as another user")
}
