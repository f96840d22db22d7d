package checker

// dataRows are about the data and about liveness.
var dataRows = []row{
	{"stale write: and the update that it lost", granted + usedLater + `
		30,31,32 c1 0 write apply,ok 1.1 base=0
		33 c1 0 release invoke 1`, Counts{Overlap: 1, StaleWrite: 1, LostUpdate: 1}},
	{"stale write: before the later grant's first request it harms nobody", granted + `
		20,21 c2 1 acquire ok 1
		21,22,23 c1 0 write apply,ok 1.1
		24 c1 0 release invoke 1
		25,26,27 c2 1 read apply,ok 1.1
		28 c2 1 release invoke 1`, Counts{Overlap: 1}},
	{"stale write: a stale read is none", granted + usedLater + `
		30,31,32 c1 0 read apply,ok 1.1
		33 c1 0 release invoke 1`, Counts{Overlap: 1}},
	{"stale write: a rival that was already waiting is unordered", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1
		3 c1 0 release invoke 1
		3 c2 1 acquire ok 1
		4,5,6 c2 1 write apply,ok 1.1
		7 c2 1 release invoke 1
		8 c1 0 release ok 1
		9,10,11 c1 0 write apply,ok 1.1`, Counts{}},
	{"stale write: unless tokens order the two", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1 token=4
		3 c1 0 release invoke 1
		3 c2 1 acquire ok 1 token=5
		4,5,6 c2 1 write apply,ok 1.1
		7 c2 1 release invoke 1
		8 c1 0 release ok 1
		9,10,11 c1 0 write apply,ok 1.1`, Counts{StaleWrite: 1}},
	{"stale write: the same worker's later grant, by its lines", granted + `
		2,2 c1 0 acquire ok 2
		3,4,5 c1 0 write apply,ok 2.1
		6,7 c1 0 release ok 2
		8,9,9 c1 0 write apply,ok 1.1
		9 c1 0 release invoke 1`, Counts{Overlap: 1, StaleWrite: 1}},
	{"stale write: the same worker's later grant, at the time of another's", granted + `
		2,2 c2 1 acquire ok 1
		2,2 c1 0 acquire ok 2
		2,2 c1 0 acquire ok 3
		3,3,3 c2 1 read apply,ok 1.1
		4,4,4 c1 0 read apply,ok 3.1
		5,5,5 c1 0 read apply,ok 1.1
		6,7,8 c1 0 write apply,ok 2.1`, Counts{Overlap: 3, StaleWrite: 1}},
	{"stale write: a refused request of a later grant reads nothing", granted + `
		20,21 c2 1 acquire ok 1
		22,23,24 c2 1 write reject,fail 1.1
		25 c2 1 release invoke 1
		30,31,32 c1 0 write apply,ok 1.1
		33 c1 0 release invoke 1`, Counts{Overlap: 1, BrokenFence: 1}},
	{"stale write: delayed", granted + `
		3,9 c1 0 write info 1.1 base=0
		9 c1 0 abandon ok 1` + usedLater + `
		30 c1 0 write apply 1.1`, Counts{StaleWrite: 1, StaleDelayed: 1, LostUpdate: 1}},
	{"stale write: sent when the later grant had returned, so not delayed", granted + usedLater + `
		19,29 c1 0 write info 1.1 base=0
		29 c1 0 abandon ok 1
		30 c1 0 write apply 1.1`, Counts{Overlap: 1, StaleWrite: 1, LostUpdate: 1}},
	{"stale write: sent after the hold, so not delayed", granted + `
		3,4 c1 0 release ok 1
		5,6 c1 0 write info 1.1 base=0` + usedLater + `
		30 c1 0 write apply 1.1`, Counts{StaleWrite: 1, LostUpdate: 1}},
	{"lost update: within one grant", granted + `
		3,4,5 c1 0 write apply,ok 1.1 base=0
		6,7,8 c1 0 write apply,ok 1.2 base=0
		9 c1 0 release invoke 1`, Counts{LostUpdate: 1}},
	{"lost update: based on its own write", granted + `
		3,4,5 c1 0 write apply,ok 1.1 base=0
		6,7,8 c1 0 write apply,ok 1.2 base=1
		9 c1 0 release invoke 1`, Counts{}},
	{"fenced off", granted + usedLater + `
		30,31,32 c1 0 write reject,fail 1.1 base=0
		33 c1 0 release invoke 1`, Counts{Overlap: 1, FencedOff: 1}},
	{"fenced off: a refusal before the later grant's first request is a broken fence", granted + `
		20,21 c2 1 acquire ok 1
		21,22,23 c1 0 read reject,fail 1.1
		24 c1 0 release invoke 1
		28 c2 1 release invoke 1`, Counts{Overlap: 1, BrokenFence: 1}},
	{"stuck lock: one acquire waits too long", healed + `
		7,18 c2 1 acquire info 1`, Counts{StuckLock: 1}},
	{"stuck lock: no longer than the bound", healed + `
		7,17 c2 1 acquire info 1`, Counts{}},
	{"stuck lock: refused again and again", healed + `
		7,8 c2 1 acquire fail 1
		17,18 c2 1 acquire fail 2`, Counts{StuckLock: 1}},
	{"stuck lock: granted in between", healed + `
		7,8 c2 1 acquire fail 1
		9,10 c2 1 acquire ok 2
		11,12 c2 1 release ok 2
		17,18 c2 1 acquire fail 3`, Counts{}},
	{"stuck lock: held by a live client", granted + healed + `
		7,30 c2 1 acquire info 1
		31 c1 0 release invoke 1`, Counts{}},
	{"stuck lock: its holder was killed", granted + `
		2 c1 -1 kill invoke` + healed + `
		7,30 c2 1 acquire info 1`, Counts{StuckLock: 1}},
	{"stuck lock: nobody asked", healed + `
		30,31 c2 1 acquire ok 1
		32 c2 1 release invoke 1`, Counts{}},
	{"stuck lock: the last fault was not healed", `
		1 nemesis -1 partition invoke value=n1
		2,30 c2 1 acquire info 1`, Counts{}},
}
