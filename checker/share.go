package checker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/units"
)

// shares counts the grants of each client.
type shares map[string]*share

type share struct{ attempts, grants int }

func (all shares) of(client string) *share {
	s := all[client]
	if s == nil {
		s = &share{}
		all[client] = s
	}
	return s
}

// enoughForShare is how many grants the least share must come to, to say anything about who was unlucky.
const enoughForShare = 5

// judge says whether each client that asked got at least a part of all grants; 0: that is not judged.
func (all shares) judge(least float64) Judgement {
	total := 0
	for _, s := range all {
		total += s.grants
	}
	switch {
	case least <= 0:
		return Judgement{Verdict: NotApplicable}
	case float64(total)*least < enoughForShare:
		return Judgement{Unknown, fmt.Sprintf("%s are too few to judge shares of %s", orNo(total, "grant"), units.Percent(least))}
	}
	var starved []string
	for _, client := range slices.Sorted(maps.Keys(all)) {
		if s := all[client]; s.attempts > 0 && float64(s.grants) < float64(total)*least {
			starved = append(starved, fmt.Sprintf("%s got %d of %d grants", client, s.grants, total))
		}
	}
	if len(starved) > 0 {
		return Judgement{Invalid, fmt.Sprintf("%s; a share of %s is needed", strings.Join(starved, ", "), units.Percent(least))}
	}
	return Judgement{Verdict: Valid}
}

// worse joins two judgements: the worse verdict, with what all say that are as bad.
func worse(a, b Judgement) Judgement {
	switch cmp.Compare(a.Verdict, b.Verdict) {
	case 1:
		return a
	case -1:
		return b
	}
	return Judgement{a.Verdict, list(a.Reason, b.Reason)}
}
