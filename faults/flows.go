package faults

import (
	"context"
	"errors"
	"slices"
)

// needLinks says why a fault on links cannot strike.
func needLinks(c Cluster, s Strike) error {
	if err := s.Target.Meaningful(c); err != nil {
		return err
	}
	if c.Links() == nil {
		return errors.New("there is no link to strike: --direct bypasses them")
	}
	return nil
}

// needFlows says why a fault on links cannot strike with these settings.
func needFlows(f Fault, c Cluster, s Strike) error {
	if err := needLinks(c, s); err != nil {
		return err
	}
	var errs []error
	for _, m := range f.Info().Check(s.Params) {
		errs = append(errs, errors.New(m.Text))
	}
	return errors.Join(errs...)
}

// slow is the injection of a fault that shapes flows.
func slow(f Fault, c Cluster, s Strike, sh shape) (func(context.Context) error, error) {
	if err := f.Available(c, s); err != nil {
		return nil, err
	}
	end, err := c.Links().shape(sh, s.flows(c))
	if err != nil {
		return nil, err
	}
	return healed(end), nil
}

// healed makes the heal of a fault whose undoing cannot fail.
func healed(undo func()) func(context.Context) error {
	return func(context.Context) error { undo(); return nil }
}

// flows lists what crosses the line between the target's side and the other.
func (s Strike) flows(c Cluster) []Flow {
	var flows []Flow
	for _, host := range s.Hosts {
		others := s.Peers
		if others == nil && slices.Contains(c.Nodes(), host) {
			others = slices.Concat(c.Clients(), c.Nodes())
		} else if others == nil {
			others = c.Nodes()
		}
		for _, other := range others {
			if slices.Contains(s.Hosts, other) || !c.Links().has(Flow{host, other}) {
				continue
			}
			if s.Target.Direction != In {
				flows = append(flows, Flow{host, other})
			}
			if s.Target.Direction != Out {
				flows = append(flows, Flow{other, host})
			}
		}
	}
	return flows
}
