package cluster

import (
	"fmt"
	"slices"
	"strconv"

	"bulwark/kube"
)

// document is a configuration that a component reads: a file of its own, or one that a
// ConfigMap of kubeadm's carries.
type document struct {
	object *kube.Object // that holds it
	root   *kube.Node
	at     []any // of the document in the object; empty when it is the object
}

// carriers are the ConfigMaps that kubeadm keeps configurations in, and under which key.
var carriers = []struct{ id, key string }{
	{"kube-system/ConfigMap/kubeadm-config", "ClusterConfiguration"},
	{"kube-system/ConfigMap/kubelet-config", "kubelet"},
	{"kube-system/ConfigMap/kube-proxy", "config.conf"},
}

const mostCarried = 1 << 20 // bytes of a configuration in a ConfigMap

// documents gives the configurations of a kind.
func documents(s *kube.Set, group, kind string) []document {
	var list []document
	for _, o := range s.Kind(group, kind) {
		list = append(list, document{object: o, root: o.Root})
	}
	for _, c := range carriers {
		o := s.Find(c.id)
		if o == nil {
			continue
		}
		text := o.Root.Get("data", c.key).Text()
		if text == "" || len(text) > mostCarried {
			continue
		}
		for _, d := range kube.ParseYAML([]byte(text)) {
			if inner, ok := kube.NewObject(d.Root, kube.Origin{}); ok && inner.Is(group, kind) {
				list = append(list, document{object: o, root: d.Root, at: []any{"data", c.key}})
			}
		}
	}
	return list
}

// path is where a field of the document stands in the object: a ConfigMap holds it as text.
func (d *document) path(steps ...any) []any {
	if len(d.at) > 0 {
		return d.at
	}
	return steps
}

// others tells how many more nodes have the same settings, where a cluster was asked.
func (d *document) others() string {
	if n, err := strconv.Atoi(d.object.Annotations["bulwark/other-nodes"]); err == nil && n > 0 {
		return fmt.Sprintf(" (and on %d more nodes)", n)
	}
	return ""
}

// edits are those that a document of its own can be mended with.
func (d *document) edits(list ...kube.Edit) []kube.Edit {
	if len(d.at) > 0 {
		return nil
	}
	return slices.Clone(list)
}
