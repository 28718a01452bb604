package workload

import (
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// running is a container that runs an image of a registry.
type running struct {
	image string
	at    bulwark.VertexID
	pull  bool // at every start
}

// runs keeps which image a container runs, for whoever may replace it. One that is named by
// its digest cannot be.
func (p *pods) runs(c *kube.Container, at bulwark.VertexID) {
	if c.Image == "" || strings.Contains(c.Image, "@sha256:") {
		return
	}
	host := registryOf(c.Image)
	tag := c.Image[strings.LastIndex(c.Image, "/")+1:]
	latest := !strings.Contains(tag, ":") || strings.HasSuffix(tag, ":latest")
	pull := c.ImagePullPolicy == "Always" || c.ImagePullPolicy == "" && latest
	p.images[host] = append(p.images[host], running{c.Image, at, pull})
}

// pulls relates the node to the passwords by which the images of the pods are pulled, which
// the pods themselves do not see.
func (p *pods) pulls() {
	for _, s := range p.Spec.ImagePullSecrets {
		if s.Name != "" {
			p.lies(name.Secret(p.Namespace, s.Name))
		}
	}
}

// Likelihoods that a password for a registry lets push, and that the image is then run: when
// pods start anew; when they start on a node that does not have it.
const (
	mayPush   = 0.3
	everyTime = 0.9
	newNode   = 0.4
)

// push relates a registry to the images that come from it, and those to what runs them.
func (w *world) push(host string) {
	list := w.images[host]
	w.images[host] = nil
	seen := map[string]bool{}
	for _, r := range list {
		image := name.Image(r.image)
		if !seen[r.image] {
			seen[r.image] = true
			w.to.Relation(bulwark.Relation{From: name.Registry(host), To: image, Type: "IMAGE_PUSH", Likelihood: mayPush, Text: "puts another image in its place, if the password may push"})
		}
		to := bulwark.Relation{From: image, To: r.at, Type: "IMAGE_RUN", Likelihood: newNode, Text: "runs it when it starts on another node"}
		if r.pull {
			to.Likelihood, to.Text = everyTime, "runs it when it starts anew"
		}
		w.remedy(&to, "digest of "+r.image, "name the image "+r.image+" by its digest", nil)
		w.to.Relation(to)
	}
}

// registryOf is the host of the registry that an image comes from.
func registryOf(image string) string {
	host, _, ok := strings.Cut(image, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return dockerHub
	}
	return hostOf(host)
}

const dockerHub = "docker.io"

// hostOf is the host of a registry's address.
func hostOf(address string) string {
	address = strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
	host, _, _ := strings.Cut(address, "/")
	if host == "index.docker.io" || host == "registry-1.docker.io" {
		return dockerHub
	}
	return host
}
