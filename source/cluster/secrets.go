package cluster

import (
	"context"

	"bulwark/kube"
)

// secretTypes are those that matter; the server says of which a Secret is without its values.
var secretTypes = []string{
	"kubernetes.io/tls", "kubernetes.io/service-account-token", "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg",
	"kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "bootstrap.kubernetes.io/token", "helm.sh/release.v1", "Opaque",
}

// secrets reads what the server says of Secrets but their values: metadata, and by asking for
// each type which are of it.
func (r *reading) secrets(ctx context.Context, q query, give func(line []byte) error) error {
	q.accept = asPartialList
	var list []*kube.Node
	_, left := r.c.list(ctx, q, func(n *kube.Node) error {
		list = append(list, n)
		return nil
	})
	if left != nil && !isPartial(left) || len(list) == 0 {
		return left
	}
	types := map[string]string{}
	for _, kind := range secretTypes {
		q.selector = "type=" + kind
		_, err := r.c.list(ctx, q, func(n *kube.Node) error {
			types[n.Get("metadata", "uid").Text()] = kind
			return nil
		})
		if err != nil && !isPartial(err) {
			return err
		}
	}
	for _, n := range list {
		if err := give(r.lean.secretObject(q.resource, n, types[n.Get("metadata", "uid").Text()])); err != nil {
			return err
		}
	}
	return left
}
