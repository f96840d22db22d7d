//go:build linux && amd64 && long

package clocks

// swaps is how often the threads' clock is exchanged, there and back.
const swaps = 5000
