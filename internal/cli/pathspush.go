package cli

import (
	"cmp"
	"strings"

	"bulwark"
	"bulwark/relate/image"
	source "bulwark/source/image"
)

// pushes relates images, and the registries that they come from, to what runs them, where
// --from names one: somebody who may push it. Without that only passwords for registries that
// lie in the cluster lead there.
func (p *attack) pushes(g image.Graph, containers []image.Container) {
	asked := false
	for _, text := range p.from {
		asked = asked || strings.HasPrefix(text, "image") || strings.HasPrefix(text, "registry")
	}
	if !asked {
		return
	}
	seen := map[string]bool{}
	for _, c := range containers {
		if c.Image == "" || strings.Contains(c.Image, "@sha256:") {
			continue
		}
		at := bulwark.VertexID("image:" + c.Image)
		if host := registryOf(c.Image); !seen[c.Image] {
			seen[c.Image] = true
			g.Relation(bulwark.Relation{From: bulwark.VertexID("registry:" + host), To: at, Type: "IMAGE_PUSH", Text: "puts another image in its place"})
		}
		tag := c.Image[strings.LastIndex(c.Image, "/")+1:]
		r := bulwark.Relation{From: at, To: c.Vertex, Type: "IMAGE_RUN", Likelihood: 0.4, Text: "runs it when it starts on another node"}
		if !strings.Contains(tag, ":") || strings.HasSuffix(tag, ":latest") {
			r.Likelihood, r.Text = 0.9, "runs it when it starts anew"
		}
		if c.Place.Path != "" {
			r.Place = &c.Place
		}
		m := bulwark.Remedy{ID: "digest of " + c.Image, Text: "name the image " + c.Image + " by its digest"}
		m.Fix = &bulwark.Fix{Text: m.Text}
		r.Remedies = []string{m.ID}
		g.Remedy(m)
		g.Relation(r)
	}
}

// registryOf is the host of the registry that an image comes from.
func registryOf(text string) string {
	r, err := source.ParseReference(text)
	if err != nil {
		host, _, _ := strings.Cut(text, "/")
		return host
	}
	return cmp.Or(map[string]string{"index.docker.io": "docker.io"}[r.Registry], r.Registry)
}
