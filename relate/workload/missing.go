package workload

import (
	"fmt"

	"bulwark"
	"bulwark/kube"
)

// mostMissing objects that are not there are told of one by one.
const mostMissing = 10

// missing tells of what pods name that is not there, where the whole cluster was looked at:
// whoever may make it chooses what they are given.
type missing struct {
	world  *world
	seen   map[string]bool // kinds of which all objects are there to be seen
	told   map[string]bool
	pods   *kube.Workload
	beyond int
}

// kinds that pods name, with what requests call them.
var referred = map[string]string{"ServiceAccount": "serviceaccounts", "Secret": "secrets", "ConfigMap": "configmaps", "PersistentVolumeClaim": "persistentvolumeclaims"}

// missing looks at all workloads.
func (w *world) missing() {
	c := w.set.Cluster
	if c == nil || len(c.Namespaces) > 0 {
		return
	}
	m := &missing{world: w, seen: map[string]bool{}, told: map[string]bool{}}
	for kind, resource := range referred {
		m.seen[kind] = c.Unseen[resource] == "" && len(w.set.Kind("", kind)) > 0
	}
	for _, one := range w.set.Workloads() {
		if !ended(one) {
			m.pods = one
			m.look()
		}
	}
	if m.beyond > 0 {
		m.note(fmt.Sprintf("%d more objects that pods name are not there", m.beyond))
	}
}

func (m *missing) note(text string) {
	m.world.to.Note(bulwark.Note{Plugin: "relate/workload", Asset: m.world.asset, Text: text})
}

func (m *missing) look() {
	m.named("ServiceAccount", m.pods.ServiceAccount(), nil, "serviceAccountName")
	for i := range m.pods.Spec.Volumes {
		v := &m.pods.Spec.Volumes[i]
		if v.Secret != nil {
			m.named("Secret", v.Secret.SecretName, v.Secret.Optional, "volumes", i)
		}
		if v.ConfigMap != nil {
			m.named("ConfigMap", v.ConfigMap.Name, v.ConfigMap.Optional, "volumes", i)
		}
		if v.PersistentVolumeClaim != nil {
			m.named("PersistentVolumeClaim", v.PersistentVolumeClaim.ClaimName, nil, "volumes", i)
		}
		if v.Projected == nil {
			continue
		}
		for j := range v.Projected.Sources {
			s := &v.Projected.Sources[j]
			if s.Secret != nil {
				m.named("Secret", s.Secret.Name, s.Secret.Optional, "volumes", i, "projected", "sources", j)
			}
			if s.ConfigMap != nil {
				m.named("ConfigMap", s.ConfigMap.Name, s.ConfigMap.Optional, "volumes", i, "projected", "sources", j)
			}
		}
	}
	for i := range m.pods.Containers {
		m.variables(&m.pods.Containers[i])
	}
}

func (m *missing) variables(c *kube.Container) {
	for j := range c.EnvFrom {
		from := &c.EnvFrom[j]
		if from.SecretRef != nil {
			m.at("Secret", from.SecretRef.Name, from.SecretRef.Optional, m.pods.ContainerPath(c, "envFrom", j))
		}
		if from.ConfigMapRef != nil {
			m.at("ConfigMap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional, m.pods.ContainerPath(c, "envFrom", j))
		}
	}
	for j := range c.Env {
		v := c.Env[j].ValueFrom
		if v == nil {
			continue
		}
		if v.SecretKeyRef != nil {
			m.at("Secret", v.SecretKeyRef.Name, v.SecretKeyRef.Optional, m.pods.ContainerPath(c, "env", j))
		}
		if v.ConfigMapKeyRef != nil {
			m.at("ConfigMap", v.ConfigMapKeyRef.Name, v.ConfigMapKeyRef.Optional, m.pods.ContainerPath(c, "env", j))
		}
	}
}

func (m *missing) named(kind, called string, optional *bool, path ...any) {
	m.at(kind, called, optional, m.pods.Path(path...))
}

// at tells of an object that is not there, once.
func (m *missing) at(kind, called string, optional *bool, path []any) {
	id := m.pods.Namespace + "/" + kind + "/" + called
	if !m.seen[kind] || called == "" || yes(optional) || m.told[id] || m.world.set.Find(id) != nil {
		return
	}
	m.told[id] = true
	if len(m.told) > mostMissing {
		m.beyond++
		return
	}
	file := ""
	if l := m.pods.Place(path...); l.File != "" {
		file = fmt.Sprintf(" (%s:%d)", l.File, l.Line)
	}
	m.note(m.pods.ID() + file + " names " + id + ", which is not there: whoever makes it chooses what the pods are given")
}
