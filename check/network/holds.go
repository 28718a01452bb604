package network

import (
	"strings"

	"bulwark/check/internal/listener"
	"bulwark/kube"
)

// database says what listens in the pods of a workload that trusts whoever reaches it.
func database(w *kube.Workload) (l listener.Listener, port int, ok bool) {
	if w == nil {
		return l, 0, false
	}
	for i := range w.Containers {
		c := &w.Containers[i]
		if c.Init && !c.Sidecar() {
			continue
		}
		for _, p := range c.Ports {
			n := int(p.ContainerPort)
			if l, ok := listener.Of(c, n); ok {
				return l, n, true
			}
			if l, ok := listener.ByPort[n]; ok {
				return l, n, true
			}
		}
	}
	return l, 0, false
}

// identities are annotations of service accounts that give their pods an identity of a cloud.
var identities = map[string]string{
	"eks.amazonaws.com/role-arn":        "AWS",
	"iam.gke.io/gcp-service-account":    "Google Cloud",
	"azure.workload.identity/client-id": "Azure",
	"iam.amazonaws.com/role":            "AWS",
}

// keys says what the pods of a workload hold that is worth sending out; "" for nothing.
func keys(s *kube.Set, w *kube.Workload) string {
	if w == nil {
		return ""
	}
	var list []string
	if account := s.Find(w.Namespace + "/ServiceAccount/" + w.ServiceAccount()); account != nil {
		for name, cloud := range identities {
			if account.Annotations[name] != "" {
				list = append(list, "an identity of "+cloud)
				break
			}
		}
	}
	if name := secretOf(w); name != "" {
		list = append(list, "the Secret "+name)
	}
	return strings.Join(list, " and ")
}

// secretOf is the first Secret that the pods are given.
func secretOf(w *kube.Workload) string {
	for _, v := range w.Spec.Volumes {
		if v.Secret != nil {
			return v.Secret.SecretName
		}
		if v.Projected == nil {
			continue
		}
		for _, src := range v.Projected.Sources {
			if src.Secret != nil {
				return src.Secret.Name
			}
		}
	}
	for i := range w.Containers {
		for _, e := range w.Containers[i].EnvFrom {
			if e.SecretRef != nil {
				return e.SecretRef.Name
			}
		}
		for _, e := range w.Containers[i].Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				return e.ValueFrom.SecretKeyRef.Name
			}
		}
	}
	return ""
}
