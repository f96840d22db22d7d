//go:build !unix

package results

// Lock does nothing where no run can be.
func (d Dir) Lock() (release func() error, err error) { return func() error { return nil }, nil }

// Idle returns nil.
func (d Dir) Idle() error { return nil }
