package history

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// MaxTime is the greatest time of a line. What never happens is after it.
const MaxTime = math.MaxInt64 - 1

// Check checks what can be said of a line by itself: whether its type fits its f, and whether it carries what such
// lines must carry.
func (op *Op) Check() error {
	switch {
	case op.Time < 0:
		return fmt.Errorf("time %d is negative", op.Time)
	case op.Time > MaxTime:
		return fmt.Errorf("time %d is too large; the greatest is %d", op.Time, int64(MaxTime))
	case op.Client == "":
		return errors.New("client is empty")
	case op.Process < NemesisProcess:
		return fmt.Errorf("process %d: want a number from 0, or %d for the nemesis", op.Process, NemesisProcess)
	case op.F == "":
		return errors.New("f is empty")
	case op.IsNemesis():
		if isWorkers(op.F) {
			return fmt.Errorf("f %q belongs to workers, and process %d is the nemesis", op.F, NemesisProcess)
		}
		return checkNemesis(op)
	case op.Fault != nil || op.Phase != "" || op.Lasted != 0:
		return fmt.Errorf("process %d has fields of the nemesis, which is process %d", op.Process, NemesisProcess)
	case !isWorkers(op.F):
		return fmt.Errorf("unknown f %q of process %d; workers %s, %s, %s, %s, %s and %s, all else is the nemesis's, process %d",
			op.F, op.Process, Acquire, Read, Write, Release, Lost, Abandon, NemesisProcess)
	}
	switch op.F {
	case Acquire, Release:
		if err := checkType(op, Invoke, OK, Fail, Info); err != nil {
			return err
		}
	case Lost, Abandon:
		if err := checkType(op, OK); err != nil {
			return err
		}
	default:
		if err := checkRequest(op); err != nil {
			return err
		}
	}
	if op.Lock == "" {
		return missing(op, "lock")
	}
	if op.Grant < 1 {
		return missing(op, "grant")
	}
	return nil
}

func checkNemesis(op *Op) error {
	still := op.F == Stopped || op.F == Stalled
	switch {
	case op.Lasted != 0 && !still:
		return fmt.Errorf("field \"lasted\" belongs to lines of f %q and %q, and this is %q", Stopped, Stalled, op.F)
	case !Outside(op.F):
		return checkType(op, Invoke, OK, Fail, Info)
	case op.Fault == nil || len(op.Fault.Hosts) == 0:
		return missing(op, "hosts")
	case still && op.Lasted < 1:
		return missing(op, "lasted")
	}
	return checkType(op, OK)
}

func checkRequest(op *Op) error {
	if err := checkType(op, Invoke, OK, Fail, Info, Apply, Reject); err != nil {
		return err
	}
	sequenced := op.Type == Apply || op.Type == Reject
	switch {
	case op.Request < 1:
		return missing(op, "request")
	case op.F == Write && op.Type == Invoke && !op.Base.Set:
		return missing(op, "base")
	case sequenced && op.Seq == 0:
		return missing(op, "seq")
	case op.Type == Apply && !op.Version.Set:
		return missing(op, "version")
	}
	return nil
}

// isWorkers reports whether f is what workers do; any other is the nemesis's.
func isWorkers(f string) bool {
	switch f {
	case Acquire, Read, Write, Release, Lost, Abandon:
		return true
	}
	return false
}

func checkType(op *Op, types ...Type) error {
	for _, t := range types {
		if op.Type == t {
			return nil
		}
	}
	return wrongType(op, slices.Clone(types))
}

func wrongType(op *Op, types []Type) error {
	return fmt.Errorf("type %q does not fit f %q; want one of %q", op.Type, op.F, types)
}

func missing(op *Op, field string) error {
	return fmt.Errorf("field %q is missing; a line of f %q and type %q has it", field, op.F, op.Type)
}
