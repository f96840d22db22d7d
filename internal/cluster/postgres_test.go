package cluster

import "testing"

func TestPostgresMajor(t *testing.T) {
	for dir, want := range map[string]float64{
		"/usr/lib/postgresql/15/bin":  15,
		"/usr/lib/postgresql/9.6/bin": 9.6,
		"/usr/pgsql-16/bin":           16,
		"/usr/local/pgsql/bin":        0,
	} {
		if got := postgresMajor(dir); got != want {
			t.Errorf("%s: %v, want %v", dir, got, want)
		}
	}
}
