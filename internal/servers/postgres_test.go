package servers

import "testing"

func TestPostgresMajor(t *testing.T) {
	for path, want := range map[string]float64{
		"/usr/lib/postgresql/15/bin/initdb":  15,
		"/usr/lib/postgresql/9.6/bin/initdb": 9.6,
		"/usr/pgsql-16/bin/initdb":           16,
		"/usr/local/pgsql/bin/initdb":        0,
	} {
		if got := postgresMajor(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
