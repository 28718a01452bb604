package rights

import (
	"slices"

	"bulwark/kube"
)

// behind are pods of namespaces with a NetworkPolicy.
const behind = "pods behind policies"

// opens relates who may take NetworkPolicies away, or write others beside them: to the pods
// of namespaces in which there are such.
func (e *engine) opens(p *permission, g *grant) {
	if e.closed == nil {
		e.closed = map[string]bool{}
		for _, o := range e.set.Kind("networking.k8s.io", "NetworkPolicy") {
			e.closed[o.Namespace] = true
		}
		for _, w := range e.set.Workloads() {
			if e.closed[w.Namespace] {
				g := e.kind(e.space(w.Namespace), behind)
				g.parts = []*group{e.space(w.Namespace).pods}
			}
		}
	}
	if g.names != nil && !slices.ContainsFunc(e.set.Kind("networking.k8s.io", "NetworkPolicy"), func(o *kube.Object) bool {
		return g.names.has[o.Name] && (p.namespace == "" || p.namespace == o.Namespace)
	}) {
		return
	}
	if all := e.kind(e.space(p.namespace), behind); all.any() {
		e.one(e.use(all), "NETWORK_POLICY_OPEN", 0.1, "takes policies away, or lets itself in by another, and reaches what listens; it takes one that lets strangers in")
	}
}
