package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/doctor"
	"github.com/lockbench/lockbench/report"
)

func TestDiagnose(t *testing.T) {
	fine := doctor.Check{Name: "redis", State: doctor.OK, Version: "7.0.15"}
	tight := doctor.Check{Name: "open files", State: doctor.Warning, Advice: "raise the limit"}
	gone := doctor.Check{Name: "zookeeper", State: doctor.Missing, Advice: "apt-get install zookeeper"}
	for _, c := range []struct {
		name   string
		checks []doctor.Check
		code   int
		says   []string
	}{
		{"all there", []doctor.Check{fine}, exitValid, []string{"7.0.15", "All drivers can run here."}},
		{"a warning", []doctor.Check{fine, tight}, exitValid, []string{"open files: raise the limit", "All drivers can run here."}},
		{"missing", []doctor.Check{fine, tight, gone}, exitUnknown, []string{"zookeeper: apt-get install zookeeper", "Something cannot run here."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			err := diagnose(&out, c.checks, report.Options{Width: 80})
			code := exitValid
			if exit := (exitError{}); errors.As(err, &exit) {
				code = exit.code
			} else if err != nil {
				t.Fatal(err)
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}
