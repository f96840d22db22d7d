package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/agent"
	"github.com/lockbench/lockbench/internal/pgsession"
)

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
	err = p.begin(ctx)
	if err == nil {
		p.version, err = p.probe(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), p.Stop())
	}
	return p, nil
}

// postgres is a cluster of one server, and that server.
type postgres struct {
	*server
	spec    Spec
	bin     string // directory of the programs
	data    string // data directory
	user    *agent.User
	addr    string
	version string
}

func newPostgres(spec Spec) (*postgres, error) {
	p := &postgres{spec: spec}
	var err error
	if p.bin, err = postgresBin(); err != nil {
		return nil, err
	}
	if p.user, err = postgresUser(); err != nil {
		return nil, err
	}
	if p.addr, err = spec.Agent.Address(p.name()); err != nil {
		return nil, err
	}
	if p.data, err = spec.Agent.Dir(spec.Name + "-" + NodeName(0)); err != nil {
		return nil, err
	}
	if p.user != nil {
		if err := os.Chown(p.data, int(p.user.UID), int(p.user.GID)); err != nil {
			return nil, fmt.Errorf("hand the data directory to the server's user: %w", err)
		}
	}
	p.server, err = p.prepare()
	return p, err
}

func (p *postgres) name() string { return "postgres " + p.spec.Name + " " + NodeName(0) }

func (p *postgres) run(program string, args ...string) agent.Command {
	return agent.Command{
		Name: p.name() + " (" + program + ")", Path: filepath.Join(p.bin, program), Args: args,
		Dir: p.data, Log: p.spec.LogPath(0), User: p.user,
	}
}

// initdb fills the data directory. It does not sync it: if the host fails now, so does the run.
func (p *postgres) initdb(ctx context.Context) error {
	proc, err := p.spec.Agent.Start(p.run("initdb", "--pgdata", p.data, "--no-sync", "--auth", "trust",
		"--username", pgsession.User, "--locale", "C", "--encoding", "UTF8"))
	if err != nil {
		return err
	}
	select {
	case <-proc.Exited():
		return proc.Err()
	case <-ctx.Done():
		// Not killed: the server that it runs would leave its shared memory behind.
		return errors.Join(ctx.Err(), proc.Stop(syscall.SIGINT, stopGrace))
	}
}

// prepare says how to start the server.
func (p *postgres) prepare() (*server, error) {
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return nil, err
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
	return &server{agent: p.spec.Agent, command: p.run("postgres", args...), serves: func(ctx context.Context) error {
		if _, err := p.probe(ctx); err != nil {
			return err
		}
		return p.disownSharedMemory()
	}}, nil
}

// probe asks the server for its version.
func (p *postgres) probe(ctx context.Context) (version string, err error) {
	conn, err := p.connect(ctx)
	if err != nil {
		return "", err
	}
	err = conn.QueryRow(ctx, "show server_version").Scan(&version)
	version, _, _ = strings.Cut(version, " ") // "15.18 (Debian 15.18-0+deb12u1)"
	return version, errors.Join(err, conn.Close(ctx))
}

func (p *postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	conf, err := pgsession.Config(p.addr)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, conf)
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
func (p *postgres) Nodes() []Node { return []Node{{Name: NodeName(0), Addr: p.addr, Process: p}} }

// Leader implements Cluster.
func (p *postgres) Leader(context.Context) (string, error) { return "", ErrNoLeaderRole }

// Version implements Cluster.
func (p *postgres) Version() string { return p.version }

// Stop implements Cluster: SIGINT is PostgreSQL's "fast" shutdown, which does not wait for clients.
func (p *postgres) Stop() error { return p.stop(syscall.SIGINT) }

// Durable says that the server comes back from a kill with all that it acknowledged.
func (*postgres) Durable() error { return nil }
