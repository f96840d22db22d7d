// Package etcdmember is the child process that is a member of etcd: this program again, with the real server compiled
// in.
package etcdmember

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

// Command is the hidden subcommand under which the program runs as a member of etcd.
const Command = "internal-etcd"

// Config is the argument of Command, as JSON.
type Config struct {
	Name, Dir, Token string
	Client, Peer     string // "ip:port" to listen at
	Advertise        string // "host:port" that the others are told
	Cluster          string // all members, as etcd's --initial-cluster
	// Join says that the member is new in a cluster that exists.
	Join bool
	// Secret is the file with the token that every request of a client must have.
	Secret string
	// Hosts is what this member resolves host names to.
	Hosts map[string]string
}

// Run is the life of a member: until SIGTERM or SIGINT.
func Run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes one argument", Command)
	}
	var cfg Config
	if err := json.Unmarshal([]byte(args[0]), &cfg); err != nil {
		return fmt.Errorf("read the configuration of a member of etcd: %w", err)
	}
	secret, err := os.ReadFile(cfg.Secret)
	if err != nil {
		return fmt.Errorf("read the secret of a member of etcd: %w", err)
	}
	if len(secret) == 0 {
		return fmt.Errorf("the secret of a member of etcd is empty (%s)", cfg.Secret)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	net.DefaultResolver = staticResolver(cfg.Hosts)
	e, err := embed.StartEtcd(cfg.embed(secret))
	if err != nil {
		return fmt.Errorf("start a member of etcd: %w", err)
	}
	select {
	case err := <-e.Err():
		return fmt.Errorf("etcd: %w", err)
	case <-e.Server.StopNotify():
		return errors.New("etcd stopped by itself")
	case <-stop:
		// Its data is thrown away: there is nothing to close in order.
		return nil
	}
}

// PeerURL is where the others reach the member.
func (c Config) PeerURL() string { return "http://" + c.Advertise }

// embed is the configuration as etcd has it; what is not set here is as etcd ships it, fsync included.
func (c Config) embed(secret []byte) *embed.Config {
	to := func(addr string) []url.URL { return []url.URL{{Scheme: "http", Host: addr}} }
	e := embed.NewConfig()
	e.Name, e.Dir = c.Name, c.Dir
	e.ListenClientUrls, e.AdvertiseClientUrls = to(c.Client), to(c.Client)
	e.ListenPeerUrls, e.AdvertisePeerUrls = to(c.Peer), to(c.Advertise)
	e.InitialCluster, e.InitialClusterToken = c.Cluster, c.Token
	if c.Join {
		e.ClusterState = embed.ClusterStateFlagExisting
	}
	e.GRPCAdditionalServerOptions = gate(secret)
	e.LogLevel, e.LogOutputs = "warn", []string{"stderr"}
	return e
}
