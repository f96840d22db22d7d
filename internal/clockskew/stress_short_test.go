//go:build linux && amd64 && !long

package clockskew

// swaps is how often the threads' clock is exchanged, there and back.
const swaps = 20
