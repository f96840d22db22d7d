package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// network is 127.<octet>.0.0/16, in which one agent of this host has all its addresses: a port that it found free is still
// free when a server asks for it, whatever other agents do.
type network struct {
	octet int
	claim net.Listener
}

// networks are the octets that there are, less 127.0 and 127.1, which other programs like.
const firstNetwork, networks = 2, 250

// claimNetwork takes a network that no other agent of this host has. The claim is a name of the kernel's, gone with the process
// however that ends.
func claimNetwork() (*network, error) {
	for i := range networks {
		octet := firstNetwork + (os.Getpid()+i)%networks
		claim, err := net.Listen("unix", fmt.Sprintf("@lockbench-127.%d", octet))
		if err == nil {
			return &network{octet: octet, claim: claim}, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("claim the loopback addresses 127.%d.0.0/16: %w", octet, err)
		}
	}
	return nil, fmt.Errorf("all %d loopback networks are in use by other runs on this host: wait for one to end", networks)
}

func (n *network) release() error {
	if err := n.claim.Close(); err != nil {
		return fmt.Errorf("give up the loopback addresses 127.%d.0.0/16: %w", n.octet, err)
	}
	return nil
}
