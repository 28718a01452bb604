package cloud

import (
	"slices"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/name"
)

// nodes relates nodes to their own identity.
func (c *cloud) nodes() {
	for _, n := range c.set.Kind("", "Node") {
		if id, ok := name.NodeIdentity(n); ok {
			c.relation(name.Node(n.Name), id, "CLOUD_METADATA", metadata, "asks the metadata service for the node's credentials", n, "")
		}
	}
}

// pods relates pods that are on the network of their node: no network policy holds those, and
// what guards the metadata service from pods mostly takes them for the node. Those of which the
// node is not known are on any.
func (c *cloud) pods() {
	of := map[string]bulwark.VertexID{}
	var any []bulwark.VertexID
	for _, n := range c.set.Kind("", "Node") {
		if id, ok := name.NodeIdentity(n); ok {
			of[n.Name] = id
			if !slices.Contains(any, id) {
				any = append(any, id)
			}
		}
	}
	for _, w := range c.set.Workloads() {
		if w.Spec.HostNetwork && len(any) > 0 {
			c.onNodes(w, of, any)
		}
	}
}

func (c *cloud) onNodes(w *kube.Workload, of map[string]bulwark.VertexID, any []bulwark.VertexID) {
	known := false
	from := func(node string) {
		if node == "" {
			return
		}
		known = true
		if id, ok := of[node]; ok {
			c.fromNode(w, id)
		}
	}
	from(w.Spec.NodeName)
	for _, p := range w.Pods {
		from(p.Root.Get("spec", "nodeName").Text())
	}
	switch {
	case known:
	case len(any) == 1:
		c.fromNode(w, any[0])
	default:
		group := name.Group("identities of the nodes")
		c.fromNode(w, group)
		for _, id := range any {
			c.relation(group, id, "MEMBER_OF", 1, "is one of them", nil, "")
		}
	}
}

func (c *cloud) fromNode(w *kube.Workload, id bulwark.VertexID) {
	c.because("workload/host-network").mended(kube.Drop(w.Path("hostNetwork")...)).relation(name.Network(w), id, "CLOUD_METADATA", fromPod, "asks the metadata service for the node's credentials, from the node's network",
		w.Object, "take hostNetwork from "+w.ID()+", or set the hop limit of the metadata service to 1", w.Path("hostNetwork")...)
}

const aad = "aadpodidentity.k8s.io"

// azurePods relates pods by aad-pod-identity: to the identities whose binding selects them,
// and to the node's where an exception leaves them alone.
func (c *cloud) azurePods() {
	identities := map[string]string{}
	for _, o := range c.set.Kind(aad, "AzureIdentity") {
		id := o.Root.Get("spec", "clientID").Text()
		if id == "" {
			id = o.Root.Get("spec", "clientId").Text()
		}
		identities[o.Namespace+"/"+o.Name] = id
	}
	bound := map[string][]*kube.Workload{} // by their label
	for _, w := range c.set.Workloads() {
		if label := w.Meta.Labels["aadpodidbinding"]; label != "" {
			bound[label] = append(bound[label], w)
		}
	}
	for _, b := range c.set.Kind(aad, "AzureIdentityBinding") {
		spec := b.Root.Get("spec")
		id := identities[b.Namespace+"/"+spec.Get("azureIdentity").Text()]
		for _, w := range bound[spec.Get("selector").Text()] {
			if id != "" {
				c.relation(name.Workload(w), name.Cloud("azure", id), "CLOUD_ROLE", 1, "is given the identity of Azure that "+b.ID()+" binds", b, "remove "+b.ID()+", or let the identity do no more than is used", "spec", "azureIdentity")
			}
		}
	}
	c.exceptions()
}

func (c *cloud) exceptions() {
	in := map[string][]*kube.Workload{}
	for _, w := range c.set.Workloads() {
		in[w.Namespace] = append(in[w.Namespace], w)
	}
	for _, e := range c.set.Kind(aad, "AzurePodIdentityException") {
		labels := e.Root.Get("spec", "podLabels")
		if labels.Len() == 0 {
			continue
		}
		to := name.Cloud("azure", "identity of the nodes")
		text, remedy := "asks the metadata service as the node: "+e.ID()+" lets it", "remove "+e.ID()
		for _, w := range in[e.Namespace] {
			if labelled(w.Meta.Labels, labels) {
				c.relation(name.Workload(w), to, "AZURE_POD_IDENTITY_EXCEPTION", 1, text, e, remedy, "spec", "podLabels")
			}
		}
		c.relation(name.NewPods(e.Namespace), to, "AZURE_POD_IDENTITY_EXCEPTION", 1, text, e, remedy, "spec", "podLabels")
		c.relation(name.NewPods(""), name.NewPods(e.Namespace), "MEMBER_OF", 1, "is one of them", nil, "")
	}
}

func labelled(have map[string]string, want *kube.Node) bool {
	for k, v := range want.Fields() {
		if got, ok := have[k]; !ok || got != v.Text() {
			return false
		}
	}
	return true
}
