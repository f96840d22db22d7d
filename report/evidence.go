package report

import "slices"

// Evidence is something that must have happened in a test for an answer to rest on it. It is looked for in what the
// test's history holds: which scenario made it happen does not matter.
type Evidence struct {
	// ID names the evidence in reports and in docs/verdicts.md.
	ID string
	// What says in a sentence what happened, Short in a few words what is missing if it did not.
	What, Short string
	// Scenario is one of lockbench's own that brings it about.
	Scenario string
	seen     func(*TestRow) bool
}

// The evidences.
var (
	pausedHolder = Evidence{
		ID: "E1", Short: "a holder paused past its TTL", Scenario: "client-pause",
		What: "A holder was paused for longer than the TTL while another client asked for its lock.",
		seen: func(t *TestRow) bool { return t.Measured.Struck.PausedHolder },
	}
	lateWrite = Evidence{
		ID: "E2", Short: "a write late on its way", Scenario: "delayed-write",
		What: "A write that was sent before the next client was granted the lock reached the resource after that.",
		seen: func(t *TestRow) bool { return t.Measured.Struck.LateWrite },
	}
	refusedWrite = Evidence{
		ID: "E3", Short: "a late write refused", Scenario: "delayed-write",
		What: "The resource refused a write of a client after a later holder had used it.",
		// The checker says that a later holder explains the refusal, but counts reads, too.
		seen: func(t *TestRow) bool { return t.Measured.Struck.RefusedWrite && t.Result.Counts.FencedOff > 0 },
	}
	cutHolder = Evidence{
		ID: "E4", Short: "a holder cut off past its TTL", Scenario: "partition",
		What: "A holder was cut off from all servers for longer than the TTL while another client asked for its lock.",
		seen: func(t *TestRow) bool { return t.Measured.Struck.CutHolder },
	}
	cutServers = Evidence{
		ID: "E5", Short: "servers cut off", Scenario: "partition",
		What: "Servers were cut off for longer than the TTL, from clients or from each other, while a client asked for a lock.",
		seen: func(t *TestRow) bool { return t.Measured.Struck.CutServers },
	}
	wroteUnderFault = Evidence{
		ID: "E6", Short: "a fault that hits a writing holder", Scenario: "in-transaction",
		What: "A fault paused, killed or cut off a holder that wrote, or took its lock.",
		seen: func(t *TestRow) bool { return t.Measured.Struck.WroteUnderFault },
	}
)

// Evidences lists the evidences.
func Evidences() []Evidence {
	return []Evidence{pausedHolder, lateWrite, refusedWrite, cutHolder, cutServers, wroteUnderFault}
}

// missing are the evidences that none of the tests has which count for the rule and were judged.
func missing(rule Rule, tests []*TestRow) []Evidence {
	var all []Evidence
	for _, e := range rule.Rests {
		if !slices.ContainsFunc(tests, func(t *TestRow) bool { return t.Result != nil && rule.counts(t) && e.seen(t) }) {
			all = append(all, e)
		}
	}
	return all
}
