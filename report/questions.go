package report

// Question is one that each run answers with a verdict on each lock.
type Question struct {
	Name, Title string
	Of          func(*Row) Finding
	// Asks picks the tests that it is asked of, and Incidents counts those that answer it.
	Asks      func(*TestRow) bool
	Incidents func(*TestRow) int
}

// Questions lists them, in the order of the columns.
func Questions() []Question {
	exclusion := func(t *TestRow) int { return t.Exclusion.Incidents }
	data := func(t *TestRow) int { return t.Data.Incidents }
	return []Question{
		{"exclusion_heeding", "Exclusion, heeding", func(r *Row) Finding { return r.Heeding }, Heeding, exclusion},
		{"exclusion_ignoring", "Exclusion, ignoring", func(r *Row) Finding { return r.Ignoring }, Ignoring, exclusion},
		{"data_unfenced", "Data, unfenced", func(r *Row) Finding { return r.Unfenced }, Unfenced, data},
		{"data_fenced", "Data, fenced", func(r *Row) Finding { return r.Fenced }, Fenced, data},
	}
}
