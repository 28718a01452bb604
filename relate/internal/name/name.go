// Package name gives vertices their names, so that relaters speak of the same things.
package name

import (
	"strings"

	"bulwark"
	"bulwark/kube"
)

// Where attackers begin, and what they are after.
const (
	Internet     bulwark.VertexID = "internet"
	ClusterAdmin bulwark.VertexID = "cluster-admin"
	// AnyNode stands for the nodes of a cluster that is not there to look at.
	AnyNode bulwark.VertexID = "node:*"
)

// Workload is the pods of a workload: "workload:shop/Deployment/cart".
func Workload(w *kube.Workload) bulwark.VertexID { return bulwark.VertexID("workload:" + w.ID()) }

// Container is a container of it: "container:shop/Deployment/cart/app".
func Container(w *kube.Workload, c *kube.Container) bulwark.VertexID {
	return bulwark.VertexID("container:" + w.ID() + "/" + c.Name)
}

// Passes tells whether a container ends before the others begin.
func Passes(c *kube.Container) bool { return c.Init && !c.Sidecar() }

// Network is what the pods of a workload send as: each of its containers does, whatever else
// it is kept from.
func Network(w *kube.Workload) bulwark.VertexID { return Group("network of " + w.ID()) }

// Node is a node of the cluster.
func Node(name string) bulwark.VertexID { return bulwark.VertexID("node:" + name) }

// Account is a service account.
func Account(namespace, name string) bulwark.VertexID {
	return bulwark.VertexID("account:" + namespace + "/" + name)
}

// Identity is a user or group that the API server knows.
func Identity(kind, name string) bulwark.VertexID {
	return bulwark.VertexID("identity:" + kind + " " + name)
}

// Secret is a Secret.
func Secret(namespace, name string) bulwark.VertexID {
	return bulwark.VertexID("secret:" + namespace + "/" + name)
}

// Group is a vertex between those that are alike: "group:pods of shop".
func Group(what string) bulwark.VertexID { return bulwark.VertexID("group:" + what) }

// Pods are all pods of a namespace, Accounts its service accounts, Secrets its secrets; of
// the whole cluster where the namespace is "".
func Pods(namespace string) bulwark.VertexID { return every("pods", namespace) }

// Accounts are the service accounts of a namespace; "" is all.
func Accounts(namespace string) bulwark.VertexID { return every("accounts", namespace) }

// Secrets are the secrets of a namespace; "" is all.
func Secrets(namespace string) bulwark.VertexID { return every("secrets", namespace) }

// NewPods are those that somebody may make in a namespace; "" is any of them.
func NewPods(namespace string) bulwark.VertexID { return every("new pods", namespace) }

// Nodes are all nodes of the cluster.
func Nodes() bulwark.VertexID { return Group("nodes") }

// Operator is what commands a cloud or cluster by objects of an API group.
func Operator(group string) bulwark.VertexID { return Group("operator of " + group) }

// Cloud is an identity of a cloud provider: "cloud:aws/arn:aws:iam::1:role/x".
func Cloud(provider, id string) bulwark.VertexID {
	return bulwark.VertexID("cloud:" + provider + "/" + id)
}

// Permission is what a role allows in a namespace, or everywhere where that is "":
// "permission:ClusterRole/edit in shop".
func Permission(role, namespace string) bulwark.VertexID {
	if namespace == "" {
		return bulwark.VertexID("permission:" + role)
	}
	return bulwark.VertexID("permission:" + role + " in " + namespace)
}

func every(what, namespace string) bulwark.VertexID {
	if namespace == "" {
		return Group(what)
	}
	return Group(what + " of " + namespace)
}

// ConfigMap is a ConfigMap.
func ConfigMap(namespace, name string) bulwark.VertexID {
	return bulwark.VertexID("configmap:" + namespace + "/" + name)
}

// Volume is a volume that containers and nodes get at: a claim ("volume:shop/data"), a folder
// of nodes, or a token of a workload.
func Volume(what string) bulwark.VertexID { return bulwark.VertexID("volume:" + what) }

// Image is an image, as a workload names it.
func Image(ref string) bulwark.VertexID { return bulwark.VertexID("image:" + ref) }

// Registry is a registry of images, by its host.
func Registry(host string) bulwark.VertexID { return bulwark.VertexID("registry:" + host) }

// Endpoint is what of a workload can be connected to. Who is there may try what listens:
// exploits lead from it to the containers.
func Endpoint(w *kube.Workload) bulwark.VertexID { return bulwark.VertexID("endpoint:" + w.ID()) }

// Door is what of one container can be connected to, where others of the pod listen elsewhere.
func Door(w *kube.Workload, c *kube.Container) bulwark.VertexID {
	return bulwark.VertexID("endpoint:" + w.ID() + "/" + c.Name)
}

// clouds are those whose nodes have an identity, by how the ids of their machines begin.
var clouds = map[string]string{"aws": "aws", "gce": "gcp", "azure": "azure", "ibm": "ibm", "oci": "oci", "alicloud": "alibaba", "qcloud": "tencent", "huaweicloud": "huawei"}

// NodeIdentity is the identity that a node has in its cloud, as the metadata service hands it
// out: by the pool that it is of, for nodes of one pool have the same. ok is false of nodes of
// no known cloud.
func NodeIdentity(n *kube.Object) (id bulwark.VertexID, ok bool) {
	kind, _, _ := strings.Cut(n.Root.Get("spec", "providerID").Text(), ":")
	provider, ok := clouds[kind]
	for _, label := range []string{"eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name", "karpenter.sh/nodepool", "cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "agentpool"} {
		if v := n.Labels[label]; v != "" {
			return Cloud(provider, "identity of the nodes of "+v), ok
		}
	}
	return Cloud(provider, "identity of the nodes"), ok
}

// AnyNodeIdentity stands for it where nodes are not there to look at.
const AnyNodeIdentity bulwark.VertexID = "cloud:*/identity of the nodes"
