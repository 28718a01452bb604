package secrets_test

import (
	"fmt"
	"slices"
	"testing"

	"bulwark"
	"bulwark/all"
)

// catalog gives the rules that answer each of the thirty checks of secrets' posture. "cluster"
// marks those that only a cluster, or a snapshot of one, can tell of.
var catalog = []struct {
	id      string
	cluster bool
	rules   []string
}{
	{"SEC01", false, []string{"secrets/env"}},
	{"SEC02", false, []string{"secrets/literal", "secret/named-value"}},
	{"SEC03", false, []string{"secrets/every-container"}},
	{"SEC04", false, []string{"secrets/subpath"}},
	{"SEC05", false, []string{"secrets/file-mode"}},
	{"SEC06", true, []string{"secrets/old"}},
	{"SEC07", false, []string{"secrets/certificate-expired", "secrets/certificate-expiring", "secrets/weak-key"}},
	{"SEC08", true, []string{"secrets/unused"}},
	{"SEC09", false, []string{"secrets/shared-value"}},
	{"SEC10", true, []string{"secrets/unmanaged"}},
	{"SEC11", false, []string{"secrets/external-not-ready", "secrets/external-refresh"}}, // its status in a cluster alone
	{"SEC12", false, []string{"secrets/store-static-credentials"}},
	{"SEC13", false, []string{"secrets/store-every-namespace"}},
	{"SEC14", false, []string{"secrets/vault-insecure"}},
	{"SEC15", false, []string{"secrets/csi-copied"}},
	{"SEC16", false, []string{"secrets/stored-plain", "secrets/encryption-off"}},
	{"SEC17", false, []string{"secrets/local-encryption-key"}},
	{"SEC18", false, []string{"cluster/etcd-no-tls", "cluster/etcd-no-client-auth", "cluster/etcd-peer-no-tls", "cluster/etcd-peer-no-auth"}},
	{"SEC19", false, []string{"rbac/secrets-read"}},
	{"SEC20", false, []string{"rbac/run-pods", "rbac/pod-exec", "rbac/token-create", "rbac/escalate"}},
	{"SEC21", false, []string{"rbac/default-account-bound"}},
	{"SEC22", false, []string{"secrets/token-without-need"}},
	{"SEC23", false, []string{"secrets/legacy-token"}},
	{"SEC24", false, []string{"secrets/token-lifetime", "secrets/token-hours"}},
	{"SEC25", false, []string{"secrets/default-account-pull-secret"}},
	{"SEC26", false, []string{"secrets/mutable"}},
	{"SEC27", false, []string{"secrets/last-applied"}},
	{"SEC28", false, []string{"secrets/audit-bodies"}},
	{"SEC29", false, []string{"secrets/in-manifest"}},
	{"SEC30", false, []string{"secrets/cloud-key"}},
}

// TestCatalog holds every check of the catalog to rules that are there, and those of this
// family to the tags that say so.
func TestCatalog(t *testing.T) {
	rules := map[string]bulwark.Rule{}
	for _, p := range all.Plugins() {
		if r, ok := p.(bulwark.Ruler); ok {
			for _, rule := range r.Rules() {
				rules[rule.ID] = rule
			}
		}
	}
	for i, c := range catalog {
		if want := fmt.Sprintf("SEC%02d", i+1); c.id != want {
			t.Errorf("%s stands where %s belongs", c.id, want)
		}
		for _, id := range c.rules {
			rule, ok := rules[id]
			if !ok {
				t.Errorf("%s: there is no rule %s", c.id, id)
			}
			if len(id) > 8 && id[:8] == "secrets/" && !slices.Contains(rule.Tags, "sec:"+c.id) {
				t.Errorf("%s has no tag sec:%s", id, c.id)
			}
		}
	}
	if len(catalog) != 30 {
		t.Errorf("%d checks, want 30", len(catalog))
	}
}
