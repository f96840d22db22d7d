package local

import (
	"os"
)

// passed are the variables that a child gets from this program's environment, if they are set. All others may be
// somebody's passwords, or settings of another server or client of the kind that the child is.
var passed = []string{
	"PATH", "LD_LIBRARY_PATH", "JAVA_HOME", // where programs and what they need are installed
	"HOME", // where some scripts that stand in for java look
	"LANG", "LC_ALL", "TZ", "TMPDIR",
	"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GORACE", "GOTRACEBACK", "GOCOVERDIR", // for this program's own children
}

// environment is that of every child. It is never nil: exec.Cmd would take that for all of this program's.
func environment() []string {
	env := []string{}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
