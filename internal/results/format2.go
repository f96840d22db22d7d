package results

import "encoding/json"

// wordyFormat is the format in which "on" and "off" said whether the resource was fenced and workers heeded.
const wordyFormat = 2

// format2 has what run.json had under other names in formats 1 and 2.
type format2 struct {
	Workload oldWords `json:"workload"`
	Plan     []struct {
		Workload oldWords `json:"workload"`
	} `json:"plan"`
	Tests []struct {
		Fencing  bool `json:"fencing"`
		HeedLost bool `json:"heed_lost"`
	} `json:"tests"`
}

type oldWords struct {
	HeedLost string `json:"heed_lost"`
}

// readFormat2 puts today's words in the place of those of formats 1 and 2. The names of tests stay: they name files.
func (r *Run) readFormat2(b []byte) error {
	var old format2
	if err := json.Unmarshal(b, &old); err != nil {
		return err
	}
	r.Format = Format // what is saved from now on is of this format
	renameWords(&r.Workload, old.Workload)
	for i, p := range old.Plan {
		if w := r.Plan[i].Workload; w != nil {
			renameWords(w, p.Workload)
		}
	}
	for i, t := range old.Tests {
		r.Tests[i].Fenced, r.Tests[i].Heeding = t.Fencing, t.HeedLost
	}
	if s := r.Sweep; s != nil {
		switch s.Path {
		case "$.workload.fencing":
			s.Value = fencingOf(s.Value)
		case "$.workload.heed-lost":
			s.Path, s.Value = "$.workload.lost", lostOf(s.Value)
		}
	}
	return nil
}

func renameWords(w *Workload, old oldWords) {
	if old.HeedLost != "" {
		w.Lost = old.HeedLost
	}
	w.Fencing, w.Lost = fencingOf(w.Fencing), lostOf(w.Lost)
}

// fencingOf is today's word for an old one.
func fencingOf(old string) string { return reworded(old, "fenced", "unfenced") }

// lostOf is today's word for an old one.
func lostOf(old string) string { return reworded(old, "heeding", "ignoring") }

func reworded(old, on, off string) string {
	switch old {
	case "on":
		return on
	case "off":
		return off
	}
	return old // "both", or nothing
}
