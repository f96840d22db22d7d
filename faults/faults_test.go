package faults

import (
	"maps"
	"slices"
	"testing"
	"time"
)

func TestResolve(t *testing.T) {
	info := Info{Name: "slow", Settings: []Setting{
		{Name: "delay", Kind: Duration, Required: true, Min: 1, Text: "how slow"}, {Name: "jitter", Kind: Duration},
		{Name: "size", Kind: Integer, Min: -2, Max: 9}, {Name: "offset", Kind: Offset}, {Name: "point", Kind: Choice, OneOf: []string{"here", "there"}},
	}}
	for _, tt := range []struct {
		name  string
		texts map[string]string
		want  Settings
		wrong []SettingError
	}{
		{"what it needs", map[string]string{"delay": "1s"}, Settings{"delay": time.Second}, nil},
		{
			"all it has", map[string]string{"delay": "1us", "jitter": "0s", "size": "-2", "offset": "-1.5ttl", "point": "there"},
			Settings{"delay": time.Microsecond, "jitter": time.Duration(0), "size": int64(-2), "offset": -3 * time.Second, "point": "there"}, nil,
		},
		{"nothing", nil, Settings{}, []SettingError{{"", "slow needs delay: how slow"}}},
		{"another's", map[string]string{"delay": "1s", "rate": "1", "jiter": "1s", "targte": "n1"}, Settings{"delay": time.Second}, []SettingError{
			{"jiter", `slow has no such setting, did you mean "jitter"?; there are: delay, jitter, size, offset, point`},
			{"rate", "slow has no such setting; there are: delay, jitter, size, offset, point"},
			{"targte", `slow has no such setting, did you mean "target"?; there are: delay, jitter, size, offset, point`},
		}},
		{"bad values", map[string]string{"delay": "0s", "jitter": "-1s", "size": "10", "offset": "soon", "point": "hre"}, Settings{}, []SettingError{
			{"delay", "it is 0s, and must be at least 1ns"},
			{"jitter", `"-1s" is not a duration such as "500ms" or "2s"`},
			{"offset", `"soon" is not an offset such as "500ms", "-3s" or "1.5ttl"`},
			{"point", `unknown point "hre", did you mean "here"?; there are: here, there`},
			{"size", "it is 10, and must be at most 9"},
		}},
		{"numbers", map[string]string{"delay": "1s", "size": "-3"}, Settings{"delay": time.Second}, []SettingError{{"size", "it is -3, and must be at least -2"}}},
		{"no number", map[string]string{"delay": "1s", "size": "2.5"}, Settings{"delay": time.Second}, []SettingError{{"size", `it is "2.5"; a whole number is expected`}}},
	} {
		got, wrong := info.Resolve(tt.texts, 2*time.Second, []string{"target"})
		var errs []SettingError
		for _, w := range wrong {
			errs = append(errs, *w)
		}
		if !maps.Equal(got, tt.want) || !slices.Equal(errs, tt.wrong) {
			t.Errorf("%s: %v, %q; want %v, %q", tt.name, got, errs, tt.want, tt.wrong)
		}
	}
}

// TestTexts: what a history says of an injection is read back as the same settings.
func TestTexts(t *testing.T) {
	all := map[Kind]string{Duration: "90s", Offset: "-1.5ttl", Integer: "7"}
	for _, f := range All() {
		texts := map[string]string{}
		for _, s := range f.Info().Settings {
			texts[s.Name] = all[s.Kind]
			if s.Kind == Choice {
				texts[s.Name] = s.OneOf[0]
			}
		}
		s, wrong := f.Info().Resolve(texts, 2*time.Second, nil)
		again, wrong2 := f.Info().Resolve(s.Texts(), time.Hour, nil)
		if len(wrong)+len(wrong2) > 0 || len(s) != len(texts) || !maps.Equal(s, again) {
			t.Errorf("%s: %v, then %v: %v, %v", f.Info().Name, s, again, wrong, wrong2)
		}
	}
}
