package pgconfig

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestMain lets the test program be one that only tells how it would connect.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "tell" {
		c, err := At("127.0.0.1:5433", "me", "secret")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(c.Host, c.Port, c.User, c.Password, c.Database, c.TLSConfig == nil, c.ConnectTimeout, c.ValidateConnect == nil,
			len(c.Fallbacks), c.RuntimeParams, c.RequireAuth, c.ChannelBinding, c.MinProtocolVersion, c.MaxProtocolVersion, os.Getenv("PGHOST"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// tell is how a program with those variables would connect.
func tell(t *testing.T, variables ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "tell")
	cmd.Env = append(slices.Clone(variables), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("with %v: %v\n%s", variables, err, out)
	}
	return string(out)
}

func TestEnvironmentChangesNothing(t *testing.T) {
	want := tell(t, "PGHOST=elsewhere") // the variable itself stays as it is
	for _, variable := range []string{
		"PGPORT=1", "PGUSER=you", "PGPASSWORD=other", "PGDATABASE=mine", "PGSSLMODE=require", "PGSERVICE=none", "PGSERVICEFILE=/none",
		"PGOPTIONS=-c statement_timeout=1", "PGTARGETSESSIONATTRS=standby", "PGCONNECT_TIMEOUT=1", "PGAPPNAME=x", "PGTZ=UTC",
		"PGREQUIREAUTH=none", "PGCHANNELBINDING=require", "PGSSLCERTMODE=", "PGSSLROOTCERT=/none", "PGMAXPROTOCOLVERSION=3.2", "PGPORT=x",
	} {
		if got := tell(t, "PGHOST=elsewhere", variable); got != want {
			t.Errorf("%s changes\n%s to\n%s", variable, want, got)
		}
	}
}

func TestAddress(t *testing.T) {
	c, err := At("127.0.0.1:5433", "me", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if c.Host != "127.0.0.1" || c.Port != 5433 || c.User != "me" || c.Password != "secret" || c.Database != database || c.TLSConfig != nil {
		t.Errorf("%+v", c)
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:x", "h:0", "h:65536", ":1"} {
		if _, err := At(bad, "me", ""); err == nil {
			t.Errorf("address %q accepted", bad)
		}
	}
}
