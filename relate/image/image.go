// Package image relates what is wrong in images to the workloads that run them: flaws that
// whoever reaches a workload exploits over the network, and credentials left in an image.
package image

import (
	"context"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// Container is a container of a workload, and what it runs.
type Container struct {
	Workload, Vertex bulwark.VertexID
	Image            string // as the pod template names it
	ID               string // of the workload
	Place            bulwark.Place
}

// Relater remembers which containers there are. What is wrong in their images is often known
// only later, when they have been looked at: [Join] then relates it.
type Relater struct {
	Containers []Container
	Images     []kube.Image
	secrets    map[string]bulwark.VertexID // digest of a value -> the Secret that has it
}

var _ bulwark.Relater = (*Relater)(nil)

// New makes the relater.
func New() *Relater { return &Relater{secrets: map[string]bulwark.VertexID{}} }

// Info names it.
func (*Relater) Info() bulwark.Info {
	return bulwark.Info{Name: "relate/image", Summary: "What is wrong in the images of workloads, for whoever reaches them", Version: 1}
}

// Relate relates nothing by itself.
func (r *Relater) Relate(ctx context.Context, t *bulwark.Target, _ *bulwark.Inventory, findings []bulwark.Finding, _ bulwark.Relations) error {
	s := kube.Of(t)
	for _, w := range s.Workloads() {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range w.Containers {
			c := &w.Containers[i]
			l := w.Place(w.ContainerPath(c, "image")...)
			r.Containers = append(r.Containers, Container{
				Workload: name.Workload(w), Vertex: name.Container(w, c), Image: c.Image, ID: w.ID(), Place: bulwark.Place{Path: l.File, Line: l.Line},
			})
		}
	}
	r.Images = append(r.Images, kube.Images(s)...)
	for i := range findings {
		r.remember(s, &findings[i])
	}
	return nil
}

// remember keeps which Secret has a value that may be found in an image.
func (r *Relater) remember(s *kube.Set, f *bulwark.Finding) {
	o := s.Find(f.Subject)
	if f.Kind != bulwark.KindSecret || o == nil || o.Kind != "Secret" {
		return
	}
	for _, d := range digests(f) {
		r.secrets[d] = name.Secret(o.Namespace, o.Name)
	}
}

// digests are those of the values that a finding is about.
func digests(f *bulwark.Finding) []string {
	var list []string
	for _, tag := range f.Tags {
		if len(tag) > 7 && tag[:7] == "sha256:" {
			list = append(list, tag)
		}
	}
	return list
}

// Graph is what relations are read from and told to.
type Graph interface {
	bulwark.Relations
	Relations(yield func(bulwark.Relation) bool)
}

// way is the type of relations by which somebody who reaches what listens takes what runs
// there: those of images stand beside it.
const way = "ENDPOINT_EXPLOIT"

// Join relates what was found in images. of gives the findings about a container: those of
// its image, and those that another tool told of its code.
func (r *Relater) Join(g Graph, of func(Container) []bulwark.Finding) {
	exploits := map[bulwark.VertexID][]Exploit{} // by container
	inside := map[bulwark.VertexID][]bulwark.VertexID{}
	remedies := map[string]bulwark.Remedy{}
	known := map[string][]Exploit{} // by image: those of its own
	for _, c := range r.Containers {
		findings := of(c)
		if len(findings) == 0 {
			continue
		}
		for _, leak := range r.leaks(c, findings) {
			g.Relation(leak)
		}
		key := c.Image + " " + c.ID
		list, ok := known[key]
		if !ok {
			list = exploitable(findings, remedies)
			known[key] = list
		}
		if len(list) > 0 {
			exploits[c.Vertex] = list
			inside[c.Workload] = append(inside[c.Workload], c.Vertex)
			inside[c.Vertex] = append(inside[c.Vertex], c.Vertex)
		}
	}
	var add []bulwark.Relation
	seen := map[[2]bulwark.VertexID]bool{}
	g.Relations(func(one bulwark.Relation) bool {
		if one.Type != way {
			return true
		}
		for _, c := range inside[one.To] {
			if pair := [2]bulwark.VertexID{one.From, c}; !seen[pair] {
				seen[pair] = true
				for _, e := range exploits[c] {
					add = append(add, e.by(one.From, c))
				}
			}
		}
		return true
	})
	for _, one := range add {
		g.Relation(one)
	}
	for _, m := range remedies {
		g.Remedy(m)
	}
}
