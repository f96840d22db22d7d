package report

// Document is what a format renders: a run, several, the rounds of one, or a comparison of two sides.
type Document struct {
	// Summary is what the runs say together; nil: the document is only its runs.
	Summary *Summary
	// Runs are told one by one; none: of a comparison.
	Runs []*Model
}

// Of is the document of runs that say nothing together.
func Of(runs ...*Model) *Document { return &Document{Runs: runs} }

// Summary is tables and paragraphs about more than one run.
type Summary struct {
	Title string
	// Lead says what the summary is about.
	Lead []string
	// Says is what the tables mean, in whole sentences.
	Says     []string
	Tables   []Table
	Sections []Section
	// Figures are the numbers behind the tables, for programs. Sides names what each has an estimate for: nothing, or
	// "a" and "b".
	Figures []Figure
	Sides   []string
}

// Add adds a section, unless it is empty.
func (s *Summary) Add(heading string, paragraphs []string) {
	if len(paragraphs) > 0 {
		s.Sections = append(s.Sections, Section{heading, paragraphs})
	}
}

// Section is paragraphs under a heading.
type Section struct {
	Heading    string
	Paragraphs []string
}

// Figure is one number of one driver.
type Figure struct {
	Driver string
	// Quantity is what was measured ("acquire_p99", "data_fenced_incidents"), Unit its unit ("ns", "incidents a
	// round").
	Quantity, Unit string
	// Estimates has one for each of the summary's sides.
	Estimates []Estimate
	// Verdict is "lower", "higher" or "overlap": how the second estimate lies to the first; empty: there is none.
	Verdict string
}

// Estimate is what several rounds say about one figure. The zero value is that of no rounds.
type Estimate struct {
	// Rounds is how many rounds measured the figure.
	Rounds int
	Median float64
	// Low and High bound an interval that covers the true median, and Confidence, 0 to 1, is how surely it does; all
	// 0: there is none.
	Low, High, Confidence float64
}

// HasInterval reports whether there is an interval.
func (e Estimate) HasInterval() bool { return e.Confidence > 0 }

// Options are what a reader may choose.
type Options struct {
	// Color lets the text format mark verdicts with terminal colours, and Width is how many columns its lines may have; 0:
	// DefaultWidth. No other format looks at them.
	Color bool
	Width int
}

// DefaultWidth is how wide a text is where nobody says how wide it may be: it fits any terminal.
const DefaultWidth = 80
