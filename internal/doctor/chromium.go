package doctor

// chromium says whether the tests can open the page of a report. No run needs it, and any browser shows the page.
func chromium(find func() (string, error)) Check {
	c := Check{Name: "chromium", State: OK, Detail: "only the tests of the page need it"}
	if _, err := find(); err != nil {
		c.State, c.Advice = Note, err.Error()
	}
	return c
}
