package checker

var (
	// granted is a grant of c1 from 2 on, and used later is a grant of c2 that was asked for after c1's had returned.
	granted = `
		1 c1 0 acquire invoke 1
		2 c1 0 acquire ok 1`
	usedLater = `
		20,21 c2 1 acquire ok 1
		22,23,24 c2 1 write apply,ok 1.1
		25 c2 1 release invoke 1
		26 c2 1 release ok 1`
	healed = `
		3 nemesis -1 partition invoke value=n1
		4 nemesis -1 heal invoke value=n1
		5 nemesis -1 heal ok value=n1`
)

// row is a history and what it counts.
type row struct {
	name, lines string
	want        Counts
}

var exclusionRows = []row{
	{"overlap", granted + `
		3,5 c2 1 acquire ok 1
		6 c1 0 release invoke 1`, Counts{Overlap: 1}},
	{"overlap: an end goes before a begin", granted + `
		3,5 c2 1 acquire ok 1
		5 c1 0 release invoke 1`, Counts{}},
	{"overlap: another lock", granted + `
		3,5 c2 1 acquire ok 1 lock=m
		6 c1 0 release invoke 1`, Counts{}},
	{"overlap: of the same worker, by its lines", granted + `
		2,2 c1 0 acquire ok 2
		2 c1 0 release invoke 1`, Counts{Overlap: 1}},
	{"overlap: the same worker released first, by its lines", granted + `
		2,2 c1 0 release ok 1
		2,2 c1 0 acquire ok 2`, Counts{}},
	{"overlap: three of the same worker at one time, by its lines", granted + `
		2,2 c1 0 acquire ok 2
		2,2 c1 0 release ok 2
		2,2 c1 0 acquire ok 3
		2 c1 0 release invoke 1`, Counts{Overlap: 2}},
	{"overlap: two begin at once, one is the second", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1
		2 c2 1 acquire ok 1
		3 c1 0 release invoke 1
		3 c2 1 release invoke 1`, Counts{Overlap: 1}},
	{"overlap: release counts from its call, whatever becomes of it", granted + `
		3 c1 0 release invoke 1
		4,5 c2 1 acquire ok 1
		6 c2 1 release invoke 1
		7 c1 0 release info 1`, Counts{}},
	{"overlap: lost ends no hold", granted + `
		3 c1 0 lost ok 1
		4,5 c2 1 acquire ok 1
		6 c1 0 abandon ok 1`, Counts{Overlap: 1}},
	{"overlap: abandon does", granted + `
		3 c1 0 abandon ok 1
		4,5 c2 1 acquire ok 1
		6 c2 1 release invoke 1
		6 c1 0 acquire invoke 2`, Counts{}},
	{"overlap: an acquire that ended as info never holds", `
		1,2 c1 0 acquire info 1
		3,4 c2 1 acquire ok 1
		5 c2 1 release invoke 1
		6 c1 2 acquire invoke 1`, Counts{}},
	{"overlap: a request that ended as info ends no hold", granted + `
		3,4 c1 0 read info 1.1
		5,6 c2 1 acquire ok 1
		7 c1 0 abandon ok 1`, Counts{Overlap: 1}},
	{"overlap: a kill ends the holds of its client", granted + `
		3 c1 -1 kill invoke
		4,5 c2 1 acquire ok 1
		6 c2 1 release invoke 1`, Counts{}},
	{"overlap: who is killed lived until then, however silent", granted + `
		4,5 c2 1 acquire ok 1
		6 c1 -1 kill invoke
		7 c2 1 release invoke 1`, Counts{Overlap: 1}},
	{"overlap: a kill says nothing of a life before the one that it ends", granted + `
		4,5 c2 1 acquire ok 1
		6 c1 2 acquire invoke 1 lock=m
		7 c1 -1 kill invoke
		8 c2 1 release invoke 1`, Counts{}},
	{"overlap: a kill also ends a hold whose ok comes a moment later", `
		1 c1 0 acquire invoke 1
		3 c1 -1 kill invoke
		4 c1 0 acquire ok 1
		4,4 c2 1 acquire ok 1
		6 c2 1 release invoke 1
		9 c1 0 read invoke 1.1`, Counts{}},
	{"overlap: a kill ends no hold of a process that came after it", `
		1 c1 -1 kill invoke
		2,3 c1 0 acquire ok 1
		4,5 c2 1 acquire ok 1
		6 c1 0 release invoke 1`, Counts{Overlap: 1}},
	{"overlap: another client's kill", granted + `
		3 c3 -1 kill invoke
		4,5 c2 1 acquire ok 1
		6 c1 0 release invoke 1`, Counts{Overlap: 1}},
	{"overlap: a hold without an end lasts while its client shows life", granted + `
		1 c1 2 acquire invoke 1 lock=m
		4,5 c2 1 acquire ok 1
		9 c1 2 acquire fail 1 lock=m`, Counts{Overlap: 1}},
	{"overlap: one process of the client hands over to the next without a gap", granted + `
		4 c1 2 acquire invoke 1 lock=m
		4,5 c2 1 acquire ok 1
		3 c1 0 lost ok 1
		4 c1 0 lost ok 1
		9 c1 2 acquire fail 1 lock=m`, Counts{Overlap: 1}},
	{"overlap: a client that died of itself and was started again", granted + `
		3 c1 0 read invoke 1.1
		4,5 c2 1 acquire ok 1
		6 c2 1 release invoke 1
		9,9 c1 2 acquire fail 1`, Counts{}},
	{"interleaved", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1
		3,4,5 c1 0 read apply,ok 1.1
		5 c2 1 acquire ok 1
		6,7,8 c2 1 read apply,ok 1.1
		8,9,10 c1 0 write apply,ok 1.2
		11 c1 0 release invoke 1
		11 c2 1 release invoke 1`, Counts{Overlap: 1, Interleaved: 1}},
	{"interleaved: one after the other", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1
		3,4,5 c1 0 read apply,ok 1.1
		8,9,10 c1 0 write apply,ok 1.2
		11 c1 0 release invoke 1
		12 c2 1 acquire ok 1
		13,14,15 c2 1 read apply,ok 1.1
		16 c2 1 release invoke 1`, Counts{}},
	{"interleaved: the last answer came after the hold", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1
		3,4,5 c1 0 read apply,ok 1.1
		5,6 c1 0 write info 1.2
		7 c1 0 abandon ok 1
		8 c2 1 acquire ok 1
		9,10,11 c2 1 read apply,ok 1.1
		12 c1 0 write apply 1.2
		13 c2 1 release invoke 1`, Counts{}},
	{"token regression: not above an earlier one", `
		1,2 c1 0 acquire ok 1 token=7
		3 c1 0 release invoke 1
		4,5 c2 1 acquire ok 1 token=6
		6 c2 1 release invoke 1`, Counts{TokenRegression: 1}},
	{"token regression: of the same worker at one time, by its lines", `
		1,2 c1 0 acquire ok 1 token=7
		2,2 c1 0 release ok 1
		2,2 c1 0 acquire ok 2 token=6
		2 c1 0 release invoke 2`, Counts{TokenRegression: 1}},
	{"token regression: rising, and 0 is a token", `
		1,2 c1 0 acquire ok 1 token=0
		3 c1 0 release invoke 1
		4,5 c2 1 acquire ok 1 token=1
		6 c2 1 release invoke 1`, Counts{}},
	{"token regression: a second 0", `
		1,2 c1 0 acquire ok 1 token=0
		3 c1 0 release invoke 1
		4,5 c2 1 acquire ok 1 token=0
		6 c2 1 release invoke 1`, Counts{TokenRegression: 1}},
	{"token regression: none is no token", `
		1,2 c1 0 acquire ok 1 token=7
		3 c1 0 release invoke 1
		4,5 c2 1 acquire ok 1
		6 c2 1 release invoke 1`, Counts{}},
	{"token regression: concurrent acquires may return in any order", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1 token=7
		3 c1 0 release invoke 1
		5 c2 1 acquire ok 1 token=6
		6 c2 1 release invoke 1`, Counts{}},
	{"token regression: but not with the same token", `
		1 c1 0 acquire invoke 1
		1 c2 1 acquire invoke 1
		2 c1 0 acquire ok 1 token=7
		3 c1 0 release invoke 1
		5 c2 1 acquire ok 1 token=7
		6 c2 1 release invoke 1`, Counts{TokenRegression: 1}},
}
