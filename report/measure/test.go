package measure

import (
	"errors"

	"github.com/lockbench/lockbench/internal/results"
)

// Test computes what the tables show of one of the run's tests. Of the run it needs the settings and which tables
// there are, of the verdict the incidents; nil: it was not judged.
//
// It reads the history once, and again where it must know in advance what only the end of the history shows: what is
// left out of the timeline, when clients died that nobody killed, and what time the scenes show. A history that is
// not in the order of times, which lockbench did not write, is sorted in memory.
func Test(run *results.Run, test *results.Test, source Source, verdict *results.TestVerdict) (Measurement, error) {
	m, err := testInOrder(run, test, source, verdict)
	if errors.Is(err, errOutOfOrder) {
		if source, err = inOrder(source); err == nil {
			m, err = testInOrder(run, test, source, verdict)
		}
	}
	return m, err
}

// maxPasses bounds how often a history is read. The first pass finds how holds ended, the second one what is left out.
const maxPasses = 4

func testInOrder(run *results.Run, test *results.Test, source Source, verdict *results.TestVerdict) (m Measurement, err error) {
	known := foreseen{end: source.End}
	var p *pass
	for n := 0; n < maxPasses; n++ {
		p = newPass(run, test, known, sceneWatches(verdict))
		p.malformed = source.malformed
		if err := source.Read(p.feed); err != nil {
			return m, err
		}
		if !p.begun {
			none := Latency{Reason: noLines}
			return Measurement{Latency: none, Contended: none, HandOff: none}, nil
		}
		var found foreseen
		if m, found, err = p.finish(); err != nil {
			return m, err
		}
		if found.end == known.end && found.cut == known.cut && found.held.Nothing() {
			break
		}
		found.held.All = n >= 1 && len(found.held.Grants) > 0
		found.held = known.held.And(found.held)
		known = found
	}
	if verdict == nil || p.malformed != nil {
		return m, nil
	}
	m.Scenes, err = scenes(run, test, source, known, p.locateScenes())
	for n, s := range m.Scenes {
		s.addFaults(m.Phases)
		for i := range verdict.Explanations {
			if e := &verdict.Explanations[i]; e.Number == n+1 {
				s.addViolations(e.Violations)
			}
		}
		m.Scenes[n] = s
	}
	return m, err
}
