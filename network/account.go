package network

import "bulwark/kube"

// foreign is what only policies of other kinds than Kubernetes' own need.
type foreign struct {
	all      *kube.Set
	own      set            // the endpoints that are not on the network of their node; made when first asked for
	accounts *index         // endpoints by their service account; likewise
	calico   *index         // endpoints and sets of addresses as Calico labels them; likewise
	istio    *mesh          // who is in a mesh; likewise
	sets     []*kube.Object // those sets
	saidPods bool           // that addresses may be pods'
}

// accountLabel is the name by which the index of accounts knows them.
const accountLabel = "account"

// ofAccounts gives the endpoints whose service account is as requirements say.
func (r *reader) ofAccounts(list []requirement) group {
	if r.accounts == nil {
		labels := make([]map[string]string, len(r.e.Endpoints))
		for i, e := range r.e.Endpoints {
			if e.Workload != nil {
				labels[i] = map[string]string{accountLabel: e.Workload.ServiceAccount()}
			}
		}
		r.accounts = newIndex(labels)
	}
	return r.accounts.match(list)
}

// spaceLabel is the label that Calico gives what lives in a namespace.
const spaceLabel = "projectcalico.org/namespace"
