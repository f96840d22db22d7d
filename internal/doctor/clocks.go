package doctor

// clockSkew tells whether faults can skew the wall clock of a process here: probe tries it. No driver needs that to
// run.
func clockSkew(probe func() error) Check {
	c := Check{Name: "clock skew", State: OK, Detail: "the wall clock of a process can be skewed"}
	if err := probe(); err != nil {
		c.State, c.Detail = Note, err.Error()
	}
	return c
}
