package results

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lockbench/lockbench/internal/testkit/must"
)

// TestVerdictsOfFormat1 holds that what format 1 said of an incident is kept, if only in the incident's own sentence.
func TestVerdictsOfFormat1(t *testing.T) {
	path := filepath.Join(t.TempDir(), VerdictFile)
	const saved = `{"format":1,"tests":[{"test":"a","unexplained":1,"result":{"incidents":[
		{"lock":"x","kinds":["overlap"],"grants":[{"process":1,"grant":1}],"begin":1,"end":2,"explanation":"c2 held it, too"},
		{"lock":"x","kinds":["overlap"],"grants":[{"process":1,"grant":9}],"begin":5,"end":6,"explanation":"c3 held it, too"}]},
		"explanations":[{"incident":1,"text":"c2 held it while c1 did.","violations":[{"kind":"overlap","at":1,"by":{"process":2,"grant":1},"against":{"process":1,"grant":1}}]}]}]}`
	must.Succeed(t, os.WriteFile(path, []byte(saved), 0o600))
	var v Verdicts
	must.Succeed(t, readJSON(path, &v))
	all := v.Tests[0].Explanations
	if len(all) != 2 || all[0].Text != "c2 held it while c1 did." || all[1].Number != 2 || all[1].Text != "c3 held it, too." {
		t.Errorf("explanations %+v", all)
	}
	if got := all[0].Violations; len(got) != 1 || got[0].At != 1 || got[0].By.Process != 2 {
		t.Errorf("violations %+v", got)
	}
}
