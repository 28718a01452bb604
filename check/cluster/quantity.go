package cluster

import "k8s.io/apimachinery/pkg/api/resource"

// bytesOf reads a size as Kubernetes writes them: "10Mi".
func bytesOf(s string) (int64, bool) {
	if len(s) > 64 {
		return 0, false
	}
	q, err := resource.ParseQuantity(s)
	if err != nil {
		return 0, false
	}
	return q.Value(), true
}
