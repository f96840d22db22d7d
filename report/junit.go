package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/internal/results"
)

// The elements of a JUnit file, as CI systems read them. There is no standard; these are what GitLab, Jenkins and the usual
// actions of GitHub have in common.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr,omitempty"`
		Properties []junitProperty `xml:"properties>property,omitempty"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitMessage `xml:"failure"`
		Error   *junitMessage `xml:"error"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Body    string `xml:",chardata"`
	}
)

// renderJUnit writes a suite for each run, and one for each of its drivers. The file has a failure or an error exactly if a run
// leads to another exit code than 0.
func renderJUnit(w io.Writer, runs []*Model) error {
	out, err := xml.MarshalIndent(junitFile(runs), "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, out)
	return err
}

func junitFile(runs []*Model) junitSuites {
	all := junitSuites{Name: "lockbench"}
	var took time.Duration
	taken := map[string]bool{}
	for _, m := range runs {
		// CI systems know a case by its class and name from one pipeline to the next: they say what was run, and not when.
		name := "lockbench." + orElse(printable(m.Run.Title()), "unknown scenario")
		for n, same := 2, name; taken[name]; n++ {
			name = fmt.Sprintf("%s (%d)", same, n)
		}
		taken[name] = true
		run := m.junitRun(name)
		all.add(run)
		for r := range m.Rows {
			suite := m.Rows[r].junit(name)
			suite.Timestamp = run.Timestamp
			all.add(suite)
		}
		d, _ := m.Duration() // 0 for one that never finished
		took += d
	}
	all.Time = junitSeconds(took)
	return all
}

func (s *junitSuites) add(suite junitSuite) {
	for _, c := range suite.Cases {
		suite.Tests++
		switch {
		case c.Failure != nil:
			suite.Failures++
		case c.Error != nil:
			suite.Errors++
		case c.Skipped != nil:
			suite.Skipped++
		}
	}
	s.Tests, s.Failures, s.Errors, s.Skipped = s.Tests+suite.Tests, s.Failures+suite.Failures, s.Errors+suite.Errors, s.Skipped+suite.Skipped
	s.Suites = append(s.Suites, suite)
}

// junitRun is the suite of the run by itself: did it come to its end.
func (m *Model) junitRun(name string) junitSuite {
	s := junitSuite{Name: name, Properties: junitProperties(
		Setting{"scenario", m.Run.Title()}, Setting{"seed", strconv.FormatUint(m.Run.Seed, 10)}, Setting{"lockbench", orElse(m.Run.Version, "unknown")}, Setting{"directory", m.Dir},
	)}
	s.Properties = append(s.Properties, junitProperties(m.Settings...)...)
	if !m.Run.Started.IsZero() {
		s.Timestamp = m.Run.Started.UTC().Format("2006-01-02T15:04:05")
	}
	d, _ := m.Duration() // 0 if it never finished
	s.Time = junitSeconds(d)
	c := junitCase{Class: name, Name: "the run came to its end", Time: junitSeconds(0)}
	switch t := m.Tally; {
	case m.Run.Status == results.Failed:
		c.Error = newJUnitMessage("failed", orElse(m.Run.Reason, "the infrastructure failed"))
	case t.Interrupted:
		c.Error = newJUnitMessage("incomplete", orElse(m.Run.Reason, "the run is incomplete"))
	case t.Valid+t.Expected == 0:
		c.Error = newJUnitMessage("unknown", "nothing was judged")
	}
	s.Cases = append(s.Cases, c)
	return s
}

// junit is the suite of a driver: a case for what did not run, and one for each verdict of each test.
func (r *Row) junit(run string) junitSuite {
	class := run + "." + r.Driver.Name
	s := junitSuite{Name: class, Properties: junitProperties(Setting{"driver", r.Driver.Title}, Setting{"backend", r.Driver.Backend + " " + r.Driver.Version})}
	var took time.Duration
	judged := Tally{}
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Result != nil || r.Driver.Status != results.NotRun && r.Driver.Status != results.Failed {
			s.Cases = append(s.Cases, t.junit(class)...)
			judged.add(t.tally())
		}
	}
	for i := range r.Tests {
		took += r.Tests[i].Measured.duration()
	}
	s.Time = junitSeconds(took)
	ran := junitCase{Class: class, Name: "it ran", Time: s.Time} // the verdicts took no time of their own
	switch r.Driver.Status {
	case results.NotRun, results.Failed:
		ran.Error = newJUnitMessage(string(r.Driver.Status), r.Reason())
	case results.NotApplicable:
		ran.Skipped = junitSkipped(r.Driver.Reason)
	case results.Complete, results.Incomplete:
		if r.Tally.Unknown > judged.Unknown {
			ran.Error = newJUnitMessage("unknown", orElse(r.Driver.Reason, "nothing is known about this lock"))
		}
	}
	s.Cases = append([]junitCase{ran}, s.Cases...)
	return s
}

// junit are the cases of a test: a case for each phase that could not run, and one for each verdict.
func (t *TestRow) junit(class string) []junitCase {
	var all []junitCase
	if t.Status == results.NotRun || t.Status == results.Failed || t.incomplete() {
		all = append(all, t.junitFailed(class, "the test ran", orElse(string(t.Status), string(results.Incomplete)), t.Reason))
	}
	verdicts := []junitCase{
		t.junitVerdict(class, "exclusion", t.Exclusion, isExclusion), t.junitVerdict(class, "data", t.Data, isData),
		t.junitVerdict(class, "liveness", t.Liveness, func(checker.Incident) bool { return false }),
	}
	if t.Status == results.NotRun { // but for what was found all the same
		return append(all, slices.DeleteFunc(verdicts, func(c junitCase) bool { return c.Failure == nil && c.Out == "" })...)
	}
	for _, p := range t.Phases {
		if p.Status == results.NotRun || p.Status == results.Failed {
			all = append(all, t.junitFailed(class, "phase "+p.Name+" ran", string(p.Status), p.Reason))
		}
	}
	return append(all, verdicts...)
}

// junitFailed is the case of what could not run.
func (t *TestRow) junitFailed(class, name, status, reason string) junitCase {
	c := t.junitCase(class, name)
	c.Error = newJUnitMessage(status, reason)
	return c
}

func (t *TestRow) junitCase(class, name string) junitCase {
	return junitCase{Class: class, Name: printable(fmt.Sprintf("%s (%s)", name, t.Setup())), Time: junitSeconds(0)}
}

// junitVerdict is the case of a verdict; answers picks the incidents that are about it.
func (t *TestRow) junitVerdict(class, name string, f Finding, answers func(checker.Incident) bool) junitCase {
	c := t.junitCase(class, name)
	switch {
	case f.State == Invalid && f.Expected:
		c.Out = printable(strings.TrimSuffix("a violation, as the scenario expects: "+f.Reason, ": "))
	case f.State == Invalid:
		c.Failure = newJUnitMessage("violation", strings.TrimSuffix(f.Words()+": "+f.Reason, ": "), t.told(answers)...)
	case f.Missing:
		c.Error = newJUnitMessage("missing", f.Reason)
	case f.State == Unknown:
		c.Error = newJUnitMessage("unknown", f.Reason)
	case f.State == NotApplicable:
		c.Skipped = junitSkipped(f.Reason)
	}
	return c
}

// toldIncidents is how many incidents a failure tells: some CI systems cut what is long, or refuse the file.
const toldIncidents = 10

// told are what happened in the first incidents that answer a question.
func (t *TestRow) told(answers func(checker.Incident) bool) []string {
	var lines []string
	found := 0
	for i, incident := range t.Result.Incidents {
		if !answers(incident) {
			continue
		}
		if found++; found > toldIncidents {
			continue
		}
		text := incident.Explanation
		for _, e := range t.Explanations {
			if e.Number == i+1 {
				text = e.Text
			}
		}
		lines = append(lines, fmt.Sprintf("incident %d: %s", i+1, text))
	}
	if more := found - toldIncidents; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more, in %s", more, results.VerdictFile))
	}
	return lines
}

func junitSkipped(reason string) *junitMessage {
	return newJUnitMessage("", orElse(reason, string(NotApplicable)))
}

// newJUnitMessage repeats the message in the body, because some systems show the one and some the other.
func newJUnitMessage(kind, message string, more ...string) *junitMessage {
	lines := []string{orElse(printable(message), "no reason was recorded")}
	for _, line := range more {
		lines = append(lines, printable(line))
	}
	return &junitMessage{Message: lines[0], Type: kind, Body: strings.Join(lines, "\n")}
}

func junitProperties(all ...Setting) []junitProperty {
	var properties []junitProperty
	for _, s := range all {
		properties = append(properties, junitProperty{printable(s.Name), printable(s.Value)})
	}
	return properties
}

// duration is how long the history is.
func (m *Measurement) duration() time.Duration {
	if len(m.Phases) == 0 {
		return 0
	}
	return time.Duration(max(0, m.Phases[len(m.Phases)-1].End-m.Begin))
}

// junitSeconds writes a time as JUnit does.
func junitSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
