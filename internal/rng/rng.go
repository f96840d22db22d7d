// Package rng derives every random stream of a run from its one seed.
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream is the random stream of one part of a run. It depends on nothing but its arguments, so that
// leaving one part out shifts no other.
func Stream(seed uint64, component string, index int) *rand.Rand {
	h := sha256.New()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	binary.LittleEndian.PutUint64(b[:], uint64(index))
	h.Write(b[:])
	h.Write([]byte(component))
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])))
}
