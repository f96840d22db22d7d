package report

import "slices"

// Use is a kind of work that a lock protects.
type Use string

// The uses, the most demanding first.
const (
	// UseNone: its own fence failed.
	UseNone Use = "none"
	// UseFenced: correctness, as long as the resource checks the fencing token of every write.
	UseFenced Use = "correctness-with-fencing"
	// UseTransaction: data that lives in the same transaction of the database as the lock.
	UseTransaction Use = "own-transaction"
	// UseIdempotent: work that may be done twice, as when a lock only saves effort.
	UseIdempotent Use = "idempotent-work"
	// UseUnknown: nothing was judged.
	UseUnknown Use = "not-shown"
)

// Rule says from what was found for which work a lock is fit.
type Rule struct {
	// ID names the rule in reports and in docs/verdicts.md.
	ID string
	// When is the condition in words.
	When string
	Use  Use
	// Short and For say in words what the lock is fit for.
	Short, For string
	// Rests are the evidences that the rule rests on, each seen in a test that counts for it. Without them the answer is
	// provisional.
	Rests   []Evidence
	counts  func(*TestRow) bool
	applies func(*Answer) bool
}

// Rules lists the rules. Of V1 to V5, V1, V4 and V5 apply alone.
func Rules() []Rule {
	return []Rule{
		{
			ID: "V1", Use: UseNone, Short: "nothing: its fence failed", For: "nothing: its fence let stale writes through",
			When:    "Data was corrupted although the resource checked fencing tokens.",
			applies: func(a *Answer) bool { return a.Fenced.State == Invalid },
		},
		{
			ID: "V2", Use: UseFenced, Short: "correctness, with fencing", For: "correctness, if the resource checks the fencing token",
			When:    "The lock issues fencing tokens, and the fenced data stayed right in every test.",
			Rests:   []Evidence{pausedHolder, lateWrite, refusedWrite, cutHolder, cutServers},
			counts:  Fenced,
			applies: func(a *Answer) bool { return a.Driver.Token != "" && a.Fenced.State == Valid },
		},
		{
			ID: "V3", Use: UseTransaction, Short: "data in its own transaction", For: "data in the lock's own database transaction",
			When:    "Data that lived in the lock's own transaction stayed right in every test.",
			Rests:   []Evidence{wroteUnderFault},
			counts:  InTransaction,
			applies: func(a *Answer) bool { return a.InTransaction.State == Valid },
		},
		{
			ID: "V4", Use: UseIdempotent, Short: "idempotent work only", For: "idempotent work only, which may be done twice",
			When: "None of V1 to V3, but some verdict was reached. Without a fence that was seen to hold, nothing protects " +
				"the data of a client that is paused or late.",
			applies: func(a *Answer) bool {
				return slices.ContainsFunc([]Finding{a.Heeding, a.Ignoring, a.Unfenced}, func(f Finding) bool { return f.State == Valid || f.State == Invalid })
			},
		},
		{
			ID: "V5", Use: UseUnknown, Short: "not shown", For: "not shown",
			When:    "No verdict was reached.",
			applies: func(*Answer) bool { return true },
		},
	}
}

// fits applies the rules. V2 and V3 may both apply; any other rule applies if none before it does.
func fits(a *Answer) []Fit {
	var all []Fit
	for _, rule := range Rules() {
		together := rule.Use == UseTransaction && len(all) == 1 && all[0].Rule.Use == UseFenced
		if len(all) > 0 && !together || !rule.applies(a) {
			continue
		}
		all = append(all, Fit{rule, missing(rule, a.tests)})
	}
	return all
}
