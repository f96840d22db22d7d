package pgsession

import "testing"

func TestConfigIgnoresTheEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"PGHOST": "elsewhere", "PGPORT": "1", "PGUSER": "me", "PGDATABASE": "mine", "PGSSLMODE": "require",
		"PGOPTIONS": "-c statement_timeout=1", "PGTARGETSESSIONATTRS": "standby", "PGCONNECT_TIMEOUT": "1", "PGAPPNAME": "x",
	} {
		t.Setenv(name, value)
	}
	c, err := Config("127.0.0.1:5433")
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "127.0.0.1" || c.Port != 5433 || c.User != User || c.Database != database || c.TLSConfig != nil ||
		c.ConnectTimeout != 0 || c.ValidateConnect != nil || len(c.Fallbacks) != 0 {
		t.Errorf("%+v", c)
	}
	if len(c.RuntimeParams) != 1 {
		t.Errorf("settings from the environment: %v", c.RuntimeParams)
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:x", "h:0"} {
		if _, err := Config(bad); err == nil {
			t.Errorf("address %q accepted", bad)
		}
	}
}
