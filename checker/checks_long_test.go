//go:build long

package checker

// porcupineChecks is how many histories Porcupine is asked about.
const porcupineChecks = 200_000
