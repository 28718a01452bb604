package kube

import (
	"path"
	"strings"
)

// components are the programs that a cluster itself is made of.
var components = map[string]bool{
	"kube-apiserver": true, "kube-controller-manager": true, "kube-scheduler": true, "etcd": true, "kube-proxy": true, "kubelet": true,
}

// Component tells which of Kubernetes' own programs a container runs, by its command, or
// by its image where there is none; "" for any other.
func (c *Container) Component() string {
	words := c.Command
	if len(words) == 0 {
		words = c.Args
	}
	for _, w := range words[:min(len(words), 2)] { // the second: hyperkube kubelet
		if base := path.Base(w); components[base] && !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
			return base
		}
	}
	if base := path.Base(ImageName(c.Image)); components[base] && len(c.Command) == 0 {
		return base
	}
	return ""
}

// ImageName is an image's reference without tag and digest.
func ImageName(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i]
	}
	return ref
}

// ImageTag is the tag of an image's reference; "" when it has none.
func ImageTag(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[i+1:]
	}
	return ""
}
