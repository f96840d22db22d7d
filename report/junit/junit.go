// Package junit writes what CI systems read: a suite for each run and driver, a case for each verdict.
package junit

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/explain"
	"github.com/lockbench/lockbench/internal/results"
	"github.com/lockbench/lockbench/report"
	"github.com/lockbench/lockbench/report/measure"
)

// The elements of a JUnit file, as CI systems read them. There is no standard; these are what GitLab, Jenkins and the
// usual actions of GitHub have in common, and what the schema junit-10 of Jenkins' xUnit plugin allows.
type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Name     string   `xml:"name,attr"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Time     string   `xml:"time,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name       string     `xml:"name,attr"`
		Tests      int        `xml:"tests,attr"`
		Failures   int        `xml:"failures,attr"`
		Errors     int        `xml:"errors,attr"`
		Skipped    int        `xml:"skipped,attr"`
		Time       string     `xml:"time,attr"`
		Timestamp  string     `xml:"timestamp,attr,omitempty"`
		Properties []property `xml:"properties>property,omitempty"`
		Cases      []testCase `xml:"testcase"`
	}
	property struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	testCase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *message `xml:"failure"`
		Error   *message `xml:"error"`
		Skipped *message `xml:"skipped"`
		Out     string   `xml:"system-out,omitempty"`
	}
	message struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Body    string `xml:",chardata"`
	}
)

// Render writes a suite for each run, and one for each of its drivers. The file has a failure or an error exactly if
// a run leads to another exit code than 0.
func Render(w io.Writer, d *report.Document, _ report.Options) error {
	out, err := xml.MarshalIndent(file(d.Runs), "", "  ")
	if err != nil {
		return fmt.Errorf("write JUnit: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, out)
	return err
}

func file(runs []*report.Model) suites {
	all := suites{Name: "lockbench"}
	var took time.Duration
	taken := map[string]bool{}
	for _, m := range runs {
		// CI systems know a case by its class and name from one pipeline to the next: they say what was run, and not
		// when.
		name := "lockbench." + cmp.Or(report.Printable(m.Run.Title()), "unknown scenario")
		for n, same := 2, name; taken[name]; n++ {
			name = fmt.Sprintf("%s (%d)", same, n)
		}
		taken[name] = true
		run := ofRun(m, name)
		all.add(run)
		for r := range m.Rows {
			suite := ofDriver(&m.Rows[r], name)
			suite.Timestamp = run.Timestamp
			all.add(suite)
		}
		d, _ := m.Duration() // 0 for one that never finished
		took += d
	}
	all.Time = seconds(took)
	return all
}

func (all *suites) add(s suite) {
	for _, c := range s.Cases {
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	all.Suites = append(all.Suites, s)
}

// ofRun is the suite of the run by itself: did it come to its end.
func ofRun(m *report.Model, name string) suite {
	s := suite{Name: name, Properties: properties(
		"scenario", m.Run.Title(), "seed", strconv.FormatUint(m.Run.Seed, 10), "lockbench", cmp.Or(m.Run.Version, "unknown"), "directory", m.Dir,
	)}
	for _, setting := range m.Settings {
		s.Properties = append(s.Properties, properties(setting.Name, setting.Value)...)
	}
	if !m.Run.Started.IsZero() {
		s.Timestamp = m.Run.Started.UTC().Format("2006-01-02T15:04:05")
	}
	d, _ := m.Duration() // 0 if it never finished
	s.Time = seconds(d)
	c := testCase{Class: name, Name: "the run came to its end", Time: seconds(0)}
	switch t := m.Tally; {
	case m.Run.Status == results.Failed:
		c.Error = newMessage("failed", cmp.Or(m.Run.Reason, "the infrastructure failed"))
	case t.Interrupted:
		c.Error = newMessage("incomplete", cmp.Or(m.Run.Reason, "the run is incomplete"))
	case t.Valid+t.Expected == 0:
		c.Error = newMessage("unknown", "nothing was judged")
	}
	s.Cases = append(s.Cases, c)
	return s
}

// ofDriver is the suite of a driver: a case for what did not run, and one for each verdict of each test.
func ofDriver(r *report.Row, run string) suite {
	class := run + "." + r.Driver.Name
	s := suite{Name: class, Properties: properties("driver", r.Driver.Title, "backend", r.Driver.Backend+" "+r.Driver.Version)}
	var took time.Duration
	judged := 0 // verdicts of tests that are unknown
	for i := range r.Tests {
		if t := &r.Tests[i]; t.Result != nil || r.Driver.Status != results.NotRun && r.Driver.Status != results.Failed {
			s.Cases = append(s.Cases, ofTest(t, class)...)
			judged += t.Tally().Unknown
		}
	}
	for i := range r.Tests {
		took += r.Tests[i].Measured.Duration()
	}
	s.Time = seconds(took)
	ran := testCase{Class: class, Name: "it ran", Time: s.Time} // the verdicts took no time of their own
	switch r.Driver.Status {
	case results.NotRun, results.Failed:
		ran.Error = newMessage(string(r.Driver.Status), r.Reason())
	case results.NotApplicable:
		ran.Skipped = skipped(r.Driver.Reason)
	case results.Complete, results.Incomplete:
		if r.Tally.Unknown > judged {
			ran.Error = newMessage("unknown", cmp.Or(r.Driver.Reason, "nothing is known about this lock"))
		}
	}
	s.Cases = append([]testCase{ran}, s.Cases...)
	return s
}

// ofTest are the cases of a test: a case for each phase that could not run, and one for each verdict.
func ofTest(t *report.TestRow, class string) []testCase {
	var all []testCase
	if t.Status == results.NotRun || t.Status == results.Failed || t.Incomplete() {
		all = append(all, failed(t, class, "the test ran", cmp.Or(string(t.Status), string(results.Incomplete)), t.Reason))
	}
	verdicts := []testCase{
		verdict(t, class, "exclusion", t.Exclusion, measure.IsExclusion), verdict(t, class, "data", t.Data, measure.IsData),
		verdict(t, class, "liveness", t.Liveness, func(checker.Incident) bool { return false }),
	}
	if t.Status == results.NotRun { // but for what was found all the same
		return append(all, slices.DeleteFunc(verdicts, func(c testCase) bool { return c.Failure == nil && c.Out == "" })...)
	}
	for _, p := range t.Phases {
		if p.Status == results.NotRun || p.Status == results.Failed {
			all = append(all, failed(t, class, "phase "+p.Name+" ran", string(p.Status), p.Reason))
		}
	}
	return append(all, verdicts...)
}

// failed is the case of what could not run.
func failed(t *report.TestRow, class, name, status, reason string) testCase {
	c := newCase(t, class, name)
	c.Error = newMessage(status, reason)
	return c
}

func newCase(t *report.TestRow, class, name string) testCase {
	return testCase{Class: class, Name: report.Printable(fmt.Sprintf("%s (%s)", name, t.Setup())), Time: seconds(0)}
}

// verdict is the case of a verdict; answers picks the incidents that are about it.
func verdict(t *report.TestRow, class, name string, f report.Finding, answers func(checker.Incident) bool) testCase {
	c := newCase(t, class, name)
	switch {
	case f.State == report.Invalid && f.Expected:
		c.Out = report.Printable(strings.TrimSuffix("a violation, as the scenario expects: "+f.Reason, ": "))
	case f.State == report.Invalid:
		c.Failure = newMessage("violation", strings.TrimSuffix(f.Words()+": "+f.Reason, ": "), told(t, answers)...)
	case f.Missing:
		c.Error = newMessage("missing", f.Reason)
	case f.State == report.Unknown:
		c.Error = newMessage("unknown", f.Reason)
	case f.State == report.NotApplicable:
		c.Skipped = skipped(f.Reason)
	}
	return c
}

// toldIncidents is how many incidents a failure tells: some CI systems cut what is long, or refuse the file.
const toldIncidents = 10

// told are what happened in the first incidents that answer a question.
func told(t *report.TestRow, answers func(checker.Incident) bool) []string {
	var lines []string
	found := 0
	for i, incident := range t.Result.Incidents {
		if !answers(incident) {
			continue
		}
		if found++; found > toldIncidents {
			continue
		}
		lines = append(lines, fmt.Sprintf("incident %d: %s", i+1, explain.Text(t.Explanations, t.Result, i+1)))
	}
	if more := found - toldIncidents; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more, in %s", more, results.VerdictFile))
	}
	return lines
}

func skipped(reason string) *message {
	return newMessage("", cmp.Or(reason, string(report.NotApplicable)))
}

// newMessage repeats the message in the body, because some systems show the one and some the other.
func newMessage(kind, text string, more ...string) *message {
	lines := []string{cmp.Or(report.Printable(text), "no reason was recorded")}
	for _, line := range more {
		lines = append(lines, report.Printable(line))
	}
	return &message{Message: lines[0], Type: kind, Body: strings.Join(lines, "\n")}
}

// properties have a name and a value in turn.
func properties(texts ...string) []property {
	var all []property
	for i := 0; i < len(texts); i += 2 {
		all = append(all, property{report.Printable(texts[i]), report.Printable(texts[i+1])})
	}
	return all
}

// seconds writes a time as JUnit does.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
