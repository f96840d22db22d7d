package plan

import (
	"fmt"

	"github.com/lockbench/lockbench/drivers"
	"github.com/lockbench/lockbench/scenarios"
)

// What processes have open beside what grows with the workers: logs, pipes, links between servers, connections that
// end and begin.
const (
	openInRun    = 300 // for lockbench itself,
	openOfDriver = 100 // in it for each driver,
	openInClient = 100
	openInServer = 200
)

// connections is how many connections a worker keeps with all servers together.
func connections(d drivers.Driver) int { return max(1, d.Info.Connections) }

// ServerConnections is how many connections each server of a driver must take at once from the scenario's workers.
func ServerConnections(s scenarios.Scenario, d drivers.Driver) int {
	n := max(1, len(d.Info.Topology))
	return s.Workload.Clients * s.Workload.Workers * ((connections(d) + n - 1) / n)
}

// openFiles is how many files the run's process that needs the most has open at once.
func (r Run) openFiles(direct bool) int {
	w := r.Scenario.Workload
	all, most := openInRun, 0
	for _, d := range r.Drivers {
		// A worker's requests to the resource come through a link, which has two ends, and arrive; those to the lock come
		// through a link. It also has a stream.
		of := 3
		if !direct {
			of += 2 * connections(d)
		}
		all += openOfDriver + w.Clients*w.Workers*of // the drivers run side by side
		most = max(most, openInClient+w.Workers*(2+connections(d)), openInServer+ServerConnections(r.Scenario, d))
	}
	return max(all, most)
}

// CheckOpenFiles refuses a run one of whose processes would need more open files than the limit, and says how many
// workers fit.
func (r Run) CheckOpenFiles(limit uint64, direct bool) error {
	need := r.openFiles(direct)
	if uint64(need) <= limit {
		return nil
	}
	fit := r
	w := &fit.Scenario.Workload
	for w.Workers > 0 && uint64(fit.openFiles(direct)) > limit {
		w.Workers--
	}
	text := fmt.Sprintf("%d clients with %d workers each take about %d open files in one process, and the limit here is %d (ulimit -Hn): ",
		w.Clients, r.Scenario.Workload.Workers, need, limit)
	if w.Workers == 0 {
		return fmt.Errorf("%sraise it, or take fewer clients or fewer drivers at once", text)
	}
	return fmt.Errorf("%sat most %d workers each fit; or raise it, or take fewer drivers at once", text, w.Workers)
}
