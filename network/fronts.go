package network

import "slices"

// Way is one by which the ingress controller hands connections on to an endpoint.
type Way struct {
	Through    []Hop
	Ports      Ports // of the endpoint
	Conditions []string
}

// Ways are those of the ingress controller to an endpoint, whatever policies let through.
func (e *Engine) Ways(endpoint int) []Way {
	var list []Way
	for _, b := range e.backends {
		if b.endpoint != endpoint {
			continue
		}
		w := Way{slices.Clone(b.front.before), b.ports, b.front.conditions}
		if len(w.Through) == 0 || w.Through[0].Object != b.front.from {
			w.Through = append(w.Through, Hop{Object: b.front.from, Path: b.front.path})
		}
		list = append(list, w)
	}
	return list
}
