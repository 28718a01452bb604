package workload

import (
	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// volumes relates a container to the Secrets that it is given, as files and variables.
func (p *pods) volumes(c *kube.Container, at bulwark.VertexID) {
	seen := map[string]bool{}
	hold := func(secret string) {
		if secret != "" && !seen[secret] {
			seen[secret] = true
			p.to.Relation(bulwark.Relation{From: at, To: name.Secret(p.Namespace, secret), Type: "VOLUME_DISCOVER", Text: "is given it"})
		}
	}
	for _, m := range c.VolumeMounts {
		v := p.volume(m.Name)
		if v == nil {
			continue
		}
		if v.Secret != nil {
			hold(v.Secret.SecretName)
		}
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				if s.Secret != nil {
					hold(s.Secret.Name)
				}
			}
		}
	}
	for _, e := range c.EnvFrom {
		if e.SecretRef != nil {
			hold(e.SecretRef.Name)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
			hold(e.ValueFrom.SecretKeyRef.Name)
		}
	}
}
