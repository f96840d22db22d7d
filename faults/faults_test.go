package faults

import (
	"slices"
	"testing"
	"time"
)

func TestSettingsThatDoNotFit(t *testing.T) {
	info := Info{Name: "slow", Params: []Param{{Name: "delay", Required: true, Text: "how slow"}, {Name: "jitter", Text: "at most"}}}
	for _, tt := range []struct {
		name   string
		params Params
		want   []Misfit
	}{
		{"what it needs", Params{Delay: time.Second}, nil},
		{"all it has", Params{Delay: time.Second, Jitter: 1}, nil},
		{"nothing", Params{}, []Misfit{{"delay", true, "slow needs delay: how slow"}}},
		{"another's", Params{Delay: 1, Point: AfterGrant, Rate: 1}, []Misfit{
			{"point", false, "slow has no such setting; there are: delay, jitter"},
			{"rate", false, "slow has no such setting; there are: delay, jitter"},
		}},
	} {
		if got := info.Check(tt.params); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
