package scenarios

import "slices"

// Group is a kind of scenario, by what it breaks.
type Group struct{ Name, Title string }

// mixed is the group of scenarios that name none.
const mixed = "mixed"

// Groups lists them in the order of lists.
func Groups() []Group {
	return []Group{
		{"network", "The network breaks"},
		{"clients", "A client dies, or stands still"},
		{"servers", "Servers die, stand still or forget"},
		{"clocks", "Wall clocks move"},
		{mixed, "Faults of several kinds"},
		{"none", "Nothing breaks"},
	}
}

// In reports whether the scenario is of the group.
func (s *Scenario) In(g Group) bool { return s.Group == g.Name || s.Group == "" && g.Name == mixed }

func isGroup(name string) bool {
	return name == "" || slices.ContainsFunc(Groups(), func(g Group) bool { return g.Name == name })
}
