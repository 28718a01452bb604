package workload

import (
	"slices"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/cloudkey"
	"bulwark/relate/internal/name"

	corev1 "k8s.io/api/core/v1"
)

// holds relates a container to the Secrets, ConfigMaps with credentials and claims that it is
// given, as files and variables.
func (p *pods) holds(c *kube.Container, at bulwark.VertexID) {
	h := newHolding(p, at)
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
			p.volumeOf(name.Volume(p.Namespace+"/"+claim.ClaimName), at, m.ReadOnly || claim.ReadOnly)
		}
		h.projected(p.projection(v))
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
		if provider := cloudkey.Variable(e.Name); provider != "" && (e.Value != "" || e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil) {
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

// parts are what a projected volume is made of.
type parts struct {
	token            bool // for the API server
	secrets, configs []string
	group            bulwark.VertexID // where they are many
}

// few is how many parts of a volume are related to each container that has it.
const few = 8

// projection gives what a volume is made of; nothing of one that is not projected.
func (p *pods) projection(v *corev1.Volume) *parts {
	made := p.parts[v.Name]
	if made != nil {
		return made
	}
	made = &parts{}
	p.parts[v.Name] = made
	if v.Projected == nil {
		return made
	}
	for _, s := range v.Projected.Sources {
		if t := s.ServiceAccountToken; t != nil && apiAudience[t.Audience] {
			made.token = true
		}
		if s.Secret != nil {
			made.secrets = append(made.secrets, s.Secret.Name)
		}
		if s.ConfigMap != nil {
			made.configs = append(made.configs, s.ConfigMap.Name)
		}
	}
	if len(made.secrets)+len(made.configs) > few {
		made.group = name.Group("parts of the volume " + v.Name + " of " + p.id)
		newHolding(p, made.group).parts(made)
	}
	return made
}

// projected relates to what a projected volume is made of.
func (h *holding) projected(of *parts) {
	if of.group == "" {
		h.parts(of)
	} else if h.first(of.group) {
		h.to.Relation(bulwark.Relation{From: h.at, To: of.group, Type: "VOLUME_DISCOVER", Text: "has the volume"})
	}
}

func (h *holding) parts(of *parts) {
	for _, s := range of.secrets {
		h.secret(s)
	}
	for _, c := range of.configs {
		h.config(c)
	}
}

// holding is what a container is given, each once.
type holding struct {
	*pods
	at   bulwark.VertexID
	seen map[bulwark.VertexID]bool
}

func newHolding(p *pods, at bulwark.VertexID) *holding { return &holding{pods: p, at: at} }

func (h *holding) first(v bulwark.VertexID) bool {
	first := !h.seen[v]
	if h.seen == nil {
		h.seen = map[bulwark.VertexID]bool{}
	}
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

// user is a container that has a volume which others may have too.
type user struct {
	id       string // of the workload
	at       bulwark.VertexID
	readOnly bool
}

// folder tells of a folder of the node that leads nowhere by itself.
func (p *pods) folder(m *hostMount, is place, at bulwark.VertexID) {
	if p.folding || m.pv != "" || is.write > elsewhere.write || is.write == 0 {
		return
	}
	node := "node *"
	if len(p.on) == 1 {
		node = "node " + p.on[0].name
	}
	p.volumeOf(name.Volume(node+" "+m.dir), at, m.readOnly)
}

// volumeOf tells of a volume that a container uses.
func (p *pods) volumeOf(volume, at bulwark.VertexID, readOnly bool) {
	if p.users[volume] == nil {
		p.order = append(p.order, volume)
		p.lies(volume)
	}
	p.users[volume] = append(p.users[volume], user{p.id, at, readOnly})
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
				w.known.Because(&r, u.id, "exposure/shared-volume")
				w.remedy(&r, u.id+" "+string(volume)+" readOnly", "mount "+string(volume)+" readOnly: true in "+u.id+", or give it a volume of its own", nil)
				w.to.Relation(r)
			}
			w.to.Relation(bulwark.Relation{From: written, To: u.at, Type: "VOLUME_TAINT", Likelihood: 0.2, Text: "runs or trusts what is in the volume"})
		}
	}
}

// several tells whether a volume that somebody writes to is used by several workloads.
func several(users []user) bool {
	others := slices.ContainsFunc(users, func(u user) bool { return u.id != users[0].id })
	return others && slices.ContainsFunc(users, func(u user) bool { return !u.readOnly })
}
