package workload

import (
	"slices"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// holds relates a container to the Secrets, ConfigMaps with credentials and claims that it is
// given, as files and variables.
func (p *pods) holds(c *kube.Container, at bulwark.VertexID) {
	h := &holding{p, at, map[bulwark.VertexID]bool{}}
	for _, m := range c.VolumeMounts {
		v := p.volume(m.Name)
		if v == nil {
			continue
		}
		switch {
		case v.Secret != nil:
			h.secret(v.Secret.SecretName)
		case v.ConfigMap != nil:
			h.config(v.ConfigMap.Name)
		case v.PersistentVolumeClaim != nil:
			claim := v.PersistentVolumeClaim
			p.volumeOf(name.Volume(p.Namespace+"/"+claim.ClaimName), at, c, m.ReadOnly || claim.ReadOnly)
		}
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.Secret != nil {
				h.secret(s.Secret.Name)
			}
			if s.ConfigMap != nil {
				h.config(s.ConfigMap.Name)
			}
		}
	}
	for _, e := range c.EnvFrom {
		if e.SecretRef != nil {
			h.secret(e.SecretRef.Name)
		}
		if e.ConfigMapRef != nil {
			h.config(e.ConfigMapRef.Name)
		}
	}
	for _, e := range c.Env {
		if provider := cloudVariables[e.Name]; provider != "" && (e.Value != "" || e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil) {
			p.cloudKey(at, provider, p.Object)
		}
		if e.ValueFrom == nil {
			continue
		}
		if e.ValueFrom.SecretKeyRef != nil {
			h.secret(e.ValueFrom.SecretKeyRef.Name)
		}
		if e.ValueFrom.ConfigMapKeyRef != nil {
			h.config(e.ValueFrom.ConfigMapKeyRef.Name)
		}
	}
}

// holding is what a container is given, each once.
type holding struct {
	*pods
	at   bulwark.VertexID
	seen map[bulwark.VertexID]bool
}

func (h *holding) first(v bulwark.VertexID) bool {
	first := !h.seen[v]
	h.seen[v] = true
	return first
}

func (h *holding) secret(secret string) {
	v := name.Secret(h.Namespace, secret)
	if secret != "" && h.first(v) {
		h.to.Relation(bulwark.Relation{From: h.at, To: v, Type: "VOLUME_DISCOVER", Text: "is given the Secret"})
	}
}

// config relates to a ConfigMap in which credentials were found.
func (h *holding) config(config string) {
	v := name.ConfigMap(h.Namespace, config)
	subject := h.Namespace + "/ConfigMap/" + config
	if config == "" || len(h.known.Of(subject, "secrets/literal")) == 0 || !h.first(v) {
		return
	}
	r := bulwark.Relation{From: h.at, To: v, Type: "VOLUME_DISCOVER", Text: "is given the ConfigMap, with a secret in it"}
	h.known.Because(&r, subject, "secrets/literal")
	h.to.Relation(r)
}

// cloudVariables are those that programs of a cloud read a key from.
var cloudVariables = map[string]string{
	"AWS_SECRET_ACCESS_KEY": "aws", "AZURE_CLIENT_SECRET": "azure", "ARM_CLIENT_SECRET": "azure", "AZURE_STORAGE_KEY": "azure", "AZURE_STORAGE_ACCOUNT_KEY": "azure",
	"GOOGLE_CREDENTIALS": "gcp", "GOOGLE_APPLICATION_CREDENTIALS_JSON": "gcp", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "alibaba", "ALICLOUD_SECRET_KEY": "alibaba", "IBMCLOUD_API_KEY": "ibm",
}

// user is a container that has a volume which others may have too.
type user struct {
	pods      *pods
	at        bulwark.VertexID
	container string
	readOnly  bool
}

// folder tells of a folder of the node that leads nowhere by itself.
func (p *pods) folder(m *hostMount, is place, at bulwark.VertexID) {
	if m.pv != "" || is.write > elsewhere.write || is.write == 0 {
		return
	}
	node := "node *"
	if len(p.on) == 1 {
		node = "node " + p.on[0]
	}
	p.volumeOf(name.Volume(node+" "+m.dir), at, m.c, m.readOnly)
}

// volumeOf tells of a volume that a container uses.
func (p *pods) volumeOf(volume, at bulwark.VertexID, c *kube.Container, readOnly bool) {
	if p.users[volume] == nil {
		p.order = append(p.order, volume)
		p.lies(volume)
	}
	p.users[volume] = append(p.users[volume], user{p, at, c.Name, readOnly})
	text := "reads and writes the volume"
	if readOnly {
		text = "reads the volume"
	}
	p.to.Relation(bulwark.Relation{From: at, To: volume, Type: "VOLUME_DISCOVER", Text: text})
}

// shared relates who writes to a volume to those of other workloads that use it: what is
// planted there, they may run.
func (w *world) shared() {
	for _, volume := range w.order {
		users := w.users[volume]
		if !several(users) {
			continue
		}
		written := name.Group("what is written to " + string(volume))
		for _, u := range users {
			if !u.readOnly {
				r := bulwark.Relation{From: u.at, To: written, Type: "VOLUME_TAINT", Text: "writes to the volume"}
				w.known.Because(&r, u.pods.ID(), "exposure/shared-volume")
				w.remedy(&r, u.pods.ID()+" "+string(volume)+" readOnly", "mount "+string(volume)+" readOnly: true in "+u.pods.ID()+", or give it a volume of its own")
				w.to.Relation(r)
			}
			w.to.Relation(bulwark.Relation{From: written, To: u.at, Type: "VOLUME_TAINT", Likelihood: 0.2, Text: "runs or trusts what is in the volume"})
		}
	}
}

// several tells whether a volume that somebody writes to is used by several workloads.
func several(users []user) bool {
	others := slices.ContainsFunc(users, func(u user) bool { return u.pods.ID() != users[0].pods.ID() })
	return others && slices.ContainsFunc(users, func(u user) bool { return !u.readOnly })
}
