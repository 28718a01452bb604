package reach_test

import (
	"context"
	"os"
	"slices"
	"testing"

	"bulwark/source/manifest"
)

// Kubernetes Goat: what is open to the outside, what its pods reach of each other, and the
// cloud's metadata, are relations; the policy that its guide has for one pod closes it.
func TestKubernetesGoat(t *testing.T) {
	const root = "../../../shared/data/manifests/kubernetes-goat/scenarios"
	if _, err := os.Stat(root); err != nil {
		t.Skip("the manifests of ../shared are not there")
	}
	target, err := (&manifest.Source{}).Open(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	c := relate(t, target)
	for typ, want := range map[string][]string{
		"EXPOSED":          {"internet -> endpoint:default/Deployment/internal-proxy-deployment/info-app 0.5 [default/Service/internal-proxy-info-app-service as ClusterIP]"},
		"ENDPOINT_EXPLOIT": {"endpoint:default/Deployment/internal-proxy-deployment/info-app -> container:default/Deployment/internal-proxy-deployment/info-app 0.1 []", "endpoint:secure-middleware/Deployment/cache-store-deployment -> container:secure-middleware/Deployment/cache-store-deployment/cache-store 0.1 []"},
		"CLOUD_METADATA":   {"group:network of default/Deployment/internal-proxy-deployment -> group:pods that reach the metadata service 0 [default without metadata]"},
	} {
		got := c.lines(typ)
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("%s: %q is not in %q", typ, line, got)
			}
		}
	}
	if !c.leads("group:network of default/Deployment/build-code-deployment", "endpoint:secure-middleware/Deployment/cache-store-deployment") {
		t.Error("the cache of another namespace is not reached, though no policy is there")
	}
}

// leads tells whether NETWORK_REACH leads from one to the other.
func (c told) leads(from, to string) bool {
	seen := map[string]bool{}
	for next := []string{from}; len(next) > 0; {
		v := next[0]
		next = next[1:]
		if v == to {
			return true
		}
		for _, r := range c.Relations {
			if string(r.From) == v && r.Type == "NETWORK_REACH" && !seen[string(r.To)] {
				seen[string(r.To)] = true
				next = append(next, string(r.To))
			}
		}
	}
	return false
}
