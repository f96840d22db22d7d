package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/internal/pgconfig"
	"github.com/lockbench/lockbench/internal/provision"
	"github.com/lockbench/lockbench/internal/topology"
)

// Postgres starts PostgreSQL: one server with a data directory of its own. Clients get a role that owns the database, but
// cannot read the server's files or run programs, as the superuser can.
type Postgres struct{}

// Name implements Backend.
func (Postgres) Name() drivers.Backend { return drivers.Postgres }

// Detect implements Backend.
func (Postgres) Detect(ctx context.Context, on provision.Programs) (string, error) {
	bin, err := postgresBin(on)
	if err != nil {
		return "", err
	}
	if _, err := postgresUser(on); err != nil {
		return "", err
	}
	path := filepath.Join(bin, "postgres")
	out, err := on.Output(ctx, path, "--version")
	if err != nil {
		return "", fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	fields := strings.Fields(out) // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
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
	c := &cluster{as: drivers.Credentials{User: "lockbench", Password: rand.Text()}}
	c.add(p.addr, p, p.server)
	if err = c.begin(ctx); err == nil {
		err = p.makeRole(ctx, c.as)
	}
	if err == nil {
		c.version, err = p.probe(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), c.Stop())
	}
	return c, nil
}

// postgres is the server.
type postgres struct {
	*server
	spec Spec
	bin  string // directory of the programs
	data string // data directory
	user *provision.User
	addr string
	// super is the superuser. Only this program knows its password.
	super drivers.Credentials
}

func newPostgres(spec Spec) (*postgres, error) {
	p := &postgres{spec: spec, super: drivers.Credentials{User: "postgres", Password: rand.Text()}}
	var err error
	if p.bin, err = postgresBin(spec.Host); err != nil {
		return nil, err
	}
	if p.user, err = postgresUser(spec.Host); err != nil {
		return nil, err
	}
	addrs, err := spec.Host.Addresses(p.name(), 1)
	if err != nil {
		return nil, err
	}
	p.addr = addrs[0]
	if p.data, err = spec.Host.Dir(spec.Name+"-"+topology.Name(0), p.user); err != nil {
		return nil, err
	}
	p.server, err = p.prepare()
	return p, err
}

func (p *postgres) name() string { return "postgres " + p.spec.Name + " " + topology.Name(0) }

func (p *postgres) run(program string, args ...string) provision.Command {
	return provision.Command{
		Name: p.name() + " (" + program + ")", Path: filepath.Join(p.bin, program), Args: args,
		Dir: p.data, Log: p.spec.LogPath(0), User: p.user,
		Interrupt: true, // a fast shutdown, which does not wait for clients
	}
}

// initdb fills the data directory. It does not sync it: if the host fails now, so does the run.
func (p *postgres) initdb(ctx context.Context) error {
	// Not in the data directory, which must be empty.
	private, err := p.spec.Host.Dir(filepath.Base(p.data)+"-password", p.user)
	if err != nil {
		return err
	}
	password := filepath.Join(private, "password")
	if err := p.spec.Host.Write(password, []byte(p.super.Password+"\n")); err != nil {
		return err
	}
	proc, err := p.spec.Host.Start(p.run("initdb", "--pgdata", p.data, "--no-sync", "--auth", "scram-sha-256", "--pwfile", password,
		"--username", p.super.User, "--locale", "C", "--encoding", "UTF8"))
	if err != nil {
		return err
	}
	select {
	case <-proc.Exited():
		return errors.Join(proc.Err(), p.spec.Host.Empty(private))
	case <-ctx.Done():
		// Not killed: the server that it runs would leave its shared memory behind.
		return errors.Join(ctx.Err(), proc.Stop(stopGrace))
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
		// Every process of the server shows this in its command line. The janitor finds by it the processes whose
		// working directory it may not read.
		"cluster_name=" + filepath.Base(filepath.Dir(p.data)),
		"unix_socket_directories=",                                         // a path below the scratch directory may be longer than a socket's may be
		fmt.Sprintf("max_connections=%d", max(300, p.spec.Connections+50)), // and the run's own
		// Keeps the shared memory for parallel queries in the data directory. Files in /dev/shm would outlive a
		// killed run.
		"dynamic_shared_memory_type=mmap",
		// A commit that was answered survives a crash. A lock's counter relies on it.
		"fsync=on",
		"synchronous_commit=on",
	}
	args := []string{"-D", p.data}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return &server{host: p.spec.Host, command: p.run("postgres", args...), serves: func(ctx context.Context) error {
		if _, err := p.probe(ctx); err != nil {
			return err
		}
		return p.forgetSharedMemory()
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

// makeRole makes the role of the clients.
func (p *postgres) makeRole(ctx context.Context, as drivers.Credentials) error {
	verifier, err := scramVerifier(as.Password)
	if err != nil {
		return err
	}
	conn, err := p.connect(ctx)
	if err != nil {
		return err
	}
	role := pgx.Identifier{as.User}.Sanitize()
	for _, sql := range []string{
		"create role " + role + " login password '" + verifier + "'", // the password itself could be logged
		"alter database postgres owner to " + role,
	} {
		if _, failed := conn.Exec(ctx, sql); failed != nil {
			err = fmt.Errorf("make the role of the clients: %w", failed)
			break
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

func (p *postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	conf, err := PostgresConfig(p.addr, p.super)
	if err != nil {
		return nil, err
	}
	return pgx.ConnectConfig(ctx, conf)
}

// PostgresConfig is how to connect to a server of this package at addr ("host:port").
func PostgresConfig(addr string, as drivers.Credentials) (*pgx.ConnConfig, error) {
	return pgconfig.At(addr, as.User, as.Password)
}

// forgetSharedMemory has the server's System V segment removed with the server's last process, however it ends.
// PostgreSQL keeps 56 bytes there, from which a server sees that another one still uses its data directory. Otherwise
// each killed server would leave a segment behind until the next reboot.
func (p *postgres) forgetSharedMemory() error {
	const keyAndID = 7 // the line of postmaster.pid that holds the segment's key and its number
	path := filepath.Join(p.data, "postmaster.pid")
	content, err := p.host.Read(path)
	if err != nil {
		return fmt.Errorf("find the server's shared memory: %w", err)
	}
	lines := strings.SplitN(string(content), "\n", keyAndID+1)
	if len(lines) <= keyAndID {
		return fmt.Errorf("%s does not say which shared memory the server uses", path)
	}
	var key, id int
	if _, err := fmt.Sscan(lines[keyAndID-1], &key, &id); err != nil {
		return fmt.Errorf("find the server's shared memory in %s, line %d %q: %w", path, keyAndID, lines[keyAndID-1], err)
	}
	return p.host.ForgetSharedMemory(id, p.user)
}

// Durable says that the server comes back from a kill with all that it acknowledged.
func (*postgres) Durable() error { return nil }
