package local

import (
	"fmt"
	"math/rand/v2"
)

// network gives out loopback addresses, one after another from one that is drawn. Nothing is claimed: what one user can
// claim, another can claim first. There are so many addresses that two runs do not meet.
type network struct {
	next  int // index of the next address
	given int // how many were given out
}

// Each byte but the first takes so many values. 127.0 and 127.1 are left out, which other programs like.
const (
	perByte   = 250
	addresses = perByte * perByte * perByte
)

func newNetwork() network { return network{next: rand.IntN(addresses)} }

// ip returns an address that was not given out before.
func (n *network) ip() (string, error) {
	if n.given == addresses {
		return "", fmt.Errorf("all %d loopback addresses of the run are given out", addresses)
	}
	i := n.next
	n.next = (i + 1) % addresses
	n.given++
	return fmt.Sprintf("127.%d.%d.%d", 2+i/(perByte*perByte), 2+i/perByte%perByte, 2+i%perByte), nil
}
