package exposure

import (
	"maps"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var classRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/classified-data", Severity: medium, Title: "Data that is labelled as confidential lacks a protection that the label asks for",
			Fix:   "encrypted volumes, TLS on every way in, no NodePort or open load balancer, and a network policy; or another label",
			Why:   "somebody said that the data is confidential (a label data-classification, data-class or data-sensitivity of confidential, restricted, sensitive, secret, pii, phi or pci), and what is declared around it does not keep it so",
			Noise: "a label that speaks of something else; encryption or policies that are declared elsewhere",
			Refs:  []string{"https://www.pcisecuritystandards.org/document_library/", "https://kubernetes.io/docs/concepts/security/security-checklist/"}},
		Set: classified,
	},
}

// confidential gives the label that says so, of an object, its pods or its namespace.
func confidential(w *kube.Workload, ns *kube.Object) string {
	labels := []map[string]string{w.Meta.Labels, w.Labels}
	if ns != nil {
		labels = append(labels, ns.Labels)
	}
	for _, m := range labels {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			value := m[name]
			_, key, _ := strings.Cut(name, "/")
			switch strings.ToLower(strings.NewReplacer("_", "-", ".", "-").Replace(orElse(key, name))) {
			case "data-classification", "data-class", "data-sensitivity", "dataclassification", "dataclass":
				switch strings.ToLower(value) {
				case "confidential", "restricted", "sensitive", "secret", "highly-confidential", "pii", "phi", "pci", "high":
					return name + "=" + value
				}
			}
		}
	}
	return ""
}

func classified(h *posture.Hits, s *kube.Set) {
	classes := map[string]*kube.Object{}
	for _, o := range s.Kind("storage.k8s.io", "StorageClass") {
		classes[o.Name] = o
	}
	ways := openWays(s)
	for _, w := range s.Workloads() {
		label := confidential(w, s.Find("Namespace/"+w.Namespace))
		if label == "" {
			continue
		}
		tell := func(what string, path ...any) {
			h.Add(posture.Hit{Object: w.Object, Path: path, Evidence: label + ", and " + what})
		}
		for _, way := range ways[w] {
			tell(way, "metadata", "labels")
		}
		for i := range w.Spec.Volumes {
			if v := &w.Spec.Volumes[i]; v.HostPath != nil && !leadsToNode(v.HostPath.Path) {
				tell("the volume "+v.Name+" is a folder of the node", w.Path("volumes", i)...)
			}
		}
		for i, t := range w.Root.Get("spec", "volumeClaimTemplates").Items() {
			class := classes[t.Get("spec", "storageClassName").Text()]
			if class == nil {
				continue
			}
			if said := strings.ToLower(parameter(class, "encrypted")); said == "false" || said == "" && ebs(class) {
				tell("the class "+class.Name+" does not encrypt", "spec", "volumeClaimTemplates", i)
			}
		}
		if g := policiesOf(s); s.Cluster != nil && !g.everywhere && !g.other[w.Namespace] && len(g.policies[w.Namespace]) == 0 {
			tell("no network policy holds for it", "metadata", "labels")
		}
	}
}

// openWays says for each workload which ways from outside lead to it unprotected: load
// balancers and ports of nodes, and Ingresses without TLS.
func openWays(s *kube.Set) map[*kube.Workload][]string {
	ways := map[*kube.Workload][]string{}
	r := reachOf(s)
	for _, svc := range r.list {
		if by := outside(svc); by != "" && !internalOnly(svc.Object) {
			for _, w := range svc.behind {
				ways[w] = append(ways[w], by+" leads to it (Service "+svc.Name+")")
			}
		}
	}
	for _, way := range routes(s) {
		svc := r.services[way.ns+"/Service/"+way.service]
		if svc == nil || way.from.Kind != "Ingress" || way.from.Root.Get("spec", "tls").Len() > 0 || elsewhereTLS(way.from) {
			continue
		}
		for _, w := range svc.behind {
			ways[w] = append(ways[w], "the Ingress "+way.from.Name+" leads to it without TLS")
		}
	}
	return ways
}
