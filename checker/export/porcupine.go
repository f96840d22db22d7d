package export

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/checker"
	"github.com/lockbench/lockbench/checker/history"
)

// MaxPicture is how many grants a picture can show. Porcupine's time grows exponentially with what goes on at once,
// and it does not always heed its time-out; nobody could read a larger picture either.
const MaxPicture = 100

// patience is how long Porcupine may think about a picture.
const patience = 10 * time.Second

// Picture writes a page that shows the holds of a history as Porcupine sees them: for each lock a mutex, acquired and
// released. Beside them stand the requests as they reached the resource, and what the nemesis did. Its error says
// what to do if there are too many grants, or no clock.
func Picture(w io.Writer, ops []history.Op) error {
	h, err := history.Parse(ops)
	if err != nil {
		return err
	}
	for _, i := range h.Nemesis {
		if h.Ops[i].F == history.Hosts {
			return errors.New("a picture needs one clock, and the hosts of this history share none; --format edn exports it")
		}
	}
	p := picture{clients: map[int64]int{}}
	granted := 0
	for _, hold := range checker.Holds(h) {
		if hold.Held {
			granted++
			p.hold(hold)
		}
	}
	if granted > MaxPicture {
		return TooLarge(granted)
	}
	p.annotate(h)
	model := mutex()
	_, info := porcupine.CheckOperationsVerbose(model, p.operations, patience)
	info.AddAnnotations(p.notes)
	if err := porcupine.Visualize(model, info, w); err != nil {
		return fmt.Errorf("draw a picture: %w", err)
	}
	return nil
}

// TooLarge is the error of a history with so many grants.
func TooLarge(grants int) error {
	return fmt.Errorf("a picture shows at most %d grants, and there are %d: --incident 1 draws only what shows the first incident", MaxPicture, grants)
}

// call is an acquire, or the end of a hold.
type call struct {
	lock    string
	grant   checker.GrantID
	client  string
	release bool
}

// mutex is the model of locks: an acquire wants the lock free, and a release wants it held by its own grant.
func mutex() porcupine.Model {
	free := checker.GrantID{} // grants are numbered from 1
	return porcupine.Model{
		Partition: byLock,
		Init:      func() any { return free },
		Step: func(state, input, _ any) (bool, any) {
			c, ok := input.(call)
			switch {
			case !ok:
				return false, state
			case c.release:
				return state == c.grant, free
			default:
				return state == free, c.grant
			}
		},
		DescribeOperation: func(input, _ any) string {
			c, _ := input.(call)
			what := "acquire"
			if c.release {
				what = "end of hold"
			}
			return fmt.Sprintf("%s: %s %s (process %d, grant %d)", c.client, what, c.lock, c.grant.Process, c.grant.Grant)
		},
		DescribeState: func(state any) string {
			g, _ := state.(checker.GrantID)
			if g == free {
				return "free"
			}
			return fmt.Sprintf("held by process %d, grant %d", g.Process, g.Grant)
		},
	}
}

// byLock takes a history apart, in the order in which its locks come.
func byLock(all []porcupine.Operation) [][]porcupine.Operation {
	at := map[string]int{}
	var parts [][]porcupine.Operation
	for _, op := range all {
		c, _ := op.Input.(call)
		i, ok := at[c.lock]
		if !ok {
			i = len(parts)
			at[c.lock] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], op)
	}
	return parts
}

// picture is what a page shows.
type picture struct {
	operations []porcupine.Operation
	notes      []porcupine.Annotation
	clients    map[int64]int // rows, by process
}

func (p *picture) row(process int64) int {
	i, ok := p.clients[process]
	if !ok {
		i = len(p.clients)
		p.clients[process] = i
	}
	return i
}

// hold adds an acquire and the end of its hold, which is the earliest instant at which the lock can have been given
// back.
func (p *picture) hold(h checker.Hold) {
	c := call{lock: h.Lock, grant: checker.GrantID{Process: h.Process.N, Grant: h.N}, client: h.Process.Client}
	row := p.row(h.Process.N)
	p.operations = append(p.operations, porcupine.Operation{ClientId: row, Input: c, Call: h.Invoke.Time, Return: h.Return.Time})
	c.release = true
	p.operations = append(p.operations, porcupine.Operation{ClientId: row, Input: c, Call: h.End, Return: h.End})
}

// annotate adds what the resource and the nemesis wrote.
func (p *picture) annotate(h *history.History) {
	for _, r := range h.Sequenced {
		text := fmt.Sprintf("%s %s: %s", r.Grant.Process.Client, r.F, r.Grant.Lock)
		if r.Rejected {
			text += " refused"
		} else {
			text += fmt.Sprintf(" at version %d", r.Version.V)
		}
		p.notes = append(p.notes, porcupine.Annotation{
			Tag: "resource", Start: r.Served.Time, Description: text,
			Details: fmt.Sprintf("process %d, grant %d, request %d", r.Grant.Process.N, r.Grant.N, r.N),
		})
	}
	for _, i := range h.Nemesis {
		op := &h.Ops[i]
		value := cmp.Or(op.Phase, op.Fault.String())
		if op.F == history.Kill {
			value = op.Client
		}
		p.notes = append(p.notes, porcupine.Annotation{
			Tag: "nemesis", Start: op.Time, Description: fmt.Sprintf("%s %s (%s)", op.F, value, op.Type), Details: op.Error,
		})
	}
}
