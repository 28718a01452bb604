package framework

import (
	"fmt"
	"slices"
	"strings"
)

// domain is what a family of rules looks at. Where that was not there to be looked at, the
// silence of the rules means nothing.
type domain struct {
	glob  string // of rules
	needs []string
	text  string // when none of needs was seen
	// reads are the kinds that a cluster must have listed, every one of them.
	reads []string
	// files are the kinds of which files must hold one: in a cluster that was listed there may
	// be none.
	files []string
	// live is true for rules that look at clusters that run and at nothing else, whole for
	// those that look at all namespaces or at none.
	live, whole bool
	// also says what else was not seen; "" when all was.
	also func(f *Facts, c *Control) string
}

var (
	roles    = []string{"ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding"}
	webhooks = []string{"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}
	policies = []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	routes   = []string{"workload", "Service", "Ingress", "ConfigMap", "Gateway", "HTTPRoute", "Certificate", "StorageClass", "PersistentVolume"}
)

func program(name string) domain {
	return domain{needs: []string{"component:" + name}, text: "the command line of " + name + " is not among what was looked at", reads: []string{"workload"}}
}

func (d domain) of(glob string) domain {
	d.glob = glob
	return d
}

var domains = []domain{
	program("kube-apiserver").of("cluster/apiserver-*"),
	program("kube-controller-manager").of("cluster/controller-*"),
	program("kube-scheduler").of("cluster/scheduler-*"),
	program("etcd").of("cluster/etcd-*"),
	program("kube-apiserver").of("secrets/encryption-off"),
	file("KubeletConfiguration").of("cluster/kubelet-*"),
	file("KubeProxyConfiguration").of("cluster/kube-proxy-*"),
	file("AuditPolicy").of("cluster/audit-*"),
	file("AuditPolicy").of("secrets/audit-bodies"),
	file("EncryptionConfiguration").of("secrets/stored-plain"),
	file("EncryptionConfiguration").of("secrets/local-encryption-key"),

	{glob: "cluster/namespace-*", reads: []string{"Namespace"}, files: []string{"Namespace"}},
	{glob: "cluster/no-policy-control", reads: append([]string{"Namespace"}, append(webhooks, policies...)...), files: []string{"Namespace"}, whole: true},
	{glob: "cluster/webhook-*", reads: webhooks},
	{glob: "cluster/policy-*", reads: policies},
	{glob: "cluster/no-log-shipper", reads: []string{"workload"}, live: true, whole: true},
	{glob: "cluster/version-skew", needs: []string{"version"}, text: "no versions of components were looked at", reads: []string{"Node"}},

	{glob: "rbac/*", reads: roles, files: roles, also: foreignRoles},
	{glob: "rbac/unused-role", live: true, whole: true},

	{glob: "workload/*", reads: []string{"workload"}, files: []string{"workload"}},
	{glob: "workload/hostpath-claim", reads: []string{"PersistentVolume", "PersistentVolumeClaim"}},
	{glob: "workload/no-limit-range", reads: []string{"Namespace", "LimitRange"}},
	{glob: "workload/no-quota", reads: []string{"Namespace", "ResourceQuota"}},
	{glob: "workload/no-disruption-budget", reads: []string{"PodDisruptionBudget"}},
	{glob: "workload/default-namespace", also: noNamespace},
	{glob: "workload/system-namespace", also: noNamespace},

	{glob: "exposure/*", reads: routes},
	{glob: "exposure/no-network-policy", reads: []string{"Namespace", "NetworkPolicy"}},
	{glob: "exposure/no-default-deny", reads: []string{"Namespace", "NetworkPolicy"}},
	{glob: "exposure/egress-open", reads: []string{"Namespace", "NetworkPolicy"}},
	{glob: "exposure/mesh-plaintext", reads: []string{"PeerAuthentication"}},

	{glob: "secrets/env", reads: []string{"workload"}},
	{glob: "secrets/literal", reads: []string{"workload", "ConfigMap"}},
	{glob: "secrets/in-manifest", reads: []string{"Secret"}},
	{glob: "secrets/last-applied", reads: []string{"Secret"}, also: noValues},
	{glob: "secrets/legacy-token", reads: []string{"Secret"}},
	{glob: "secrets/token-without-need", reads: []string{"workload", "ServiceAccount", "RoleBinding", "ClusterRoleBinding"}, also: accountTokens},
	{glob: "secrets/old", reads: []string{"Secret"}, live: true},
	{glob: "secrets/unmanaged", reads: []string{"Secret"}, live: true},
	{glob: "secrets/unused", reads: []string{"Secret"}, live: true, whole: true},
	{glob: "secrets/certificate-*", reads: []string{"Secret"}, also: noValues},
	{glob: "secrets/weak-key", reads: []string{"Secret"}, also: noValues},
	{glob: "secrets/shared-value", reads: []string{"Secret"}, also: noValues},

	{glob: "vuln/*", also: versions},
	{glob: "eol/*", also: versions},
	{glob: "image/*", reads: []string{"image"}, also: ofWhatRuns},
	{glob: "malware/*", needs: []string{"image"}, text: noImages, reads: []string{"image"}},
	{glob: "engine/*", also: ofEngines},
	{glob: "secret/*", reads: []string{"image"}, also: func(f *Facts, _ *Control) string {
		if f.Live && f.Seen["image"] == 0 {
			return noImages
		}
		return ""
	}},
}

const (
	noImages = "the images were not looked at"
	noEngine = "the containers that run on a machine were not looked at (bulwark scan engine)"
)

// ofEngines: a control of images and build files may be broken by what runs, and does not wait for it.
func ofEngines(f *Facts, c *Control) string {
	if f.Seen["engine"] == 0 && !slices.Contains(c.Needs, "image") {
		return noEngine
	}
	return ""
}

// ofWhatRuns: what runs pods has images, and what builds them is judged without.
func ofWhatRuns(f *Facts, _ *Control) string {
	if f.Seen["image"] == 0 && (f.Live || f.Seen["workload"] > 0) {
		return noImages
	}
	return ""
}

func file(kind string) domain {
	return domain{needs: []string{"config:" + kind}, text: "no " + kind + " is among what was looked at", reads: []string{"config:" + kind}}
}

// versions: what runs in images and what runs the cluster are looked at apart.
func versions(f *Facts, c *Control) string {
	if f.Seen["image"] == 0 && f.Seen["version"] == 0 {
		return "neither images nor versions of components were looked at"
	}
	runs := f.Seen["workload"] > 0 || f.Live
	switch {
	case f.Seen["image"] == 0 && c.Only == "" && runs:
		return noImages
	case f.Seen["version"] == 0 && c.Except == "" && runs:
		return "no versions of components were looked at"
	case c.Only != "":
		return f.unlisted([]string{"Node"})
	case c.Except != "":
		return f.unlisted([]string{"image"})
	}
	return f.unlisted([]string{"image", "Node"})
}

// foreignRoles: what a binding gives is in another file.
func foreignRoles(f *Facts, _ *Control) string {
	if n := f.Seen["binding:elsewhere"]; n > 0 && !f.Live {
		return count(n, "binding names a role that is", "bindings name roles that are") + " not among the files"
	}
	return ""
}

// noNamespace: files often leave the namespace to whoever applies them.
func noNamespace(f *Facts, _ *Control) string {
	if n := f.Seen["workload"] - f.Seen["workload:placed"]; n > 0 && !f.Live {
		return count(n, "workload does not say its namespace", "workloads do not say their namespace")
	}
	return ""
}

// accountTokens: the rights of an account may be in another file.
func accountTokens(f *Facts, _ *Control) string {
	if n := f.Seen["workload:token"]; n > 0 && !f.Live {
		return count(n, "workload mounts", "workloads mount") + " the token of an account whose rights may be in other files"
	}
	return ""
}

// noValues: what is in Secrets is read when the user says so.
func noValues(f *Facts, _ *Control) string {
	if f.Live && f.Seen["Secret"] > 0 && f.Seen["secret:read"] == 0 {
		return "the values of Secrets were not read (--read-secrets)"
	}
	return ""
}

// blind says what of that which a control's rules look at was not seen; "" when all was.
func (e *evaluation) blind(c *Control, globs []string) string {
	for _, glob := range globs {
		for i := range domains {
			if d := &domains[i]; match(d.glob, glob) || c.Only == "" && match(glob, d.glob) {
				if why := d.unseen(e.facts, c); why != "" {
					return why
				}
			}
		}
	}
	return ""
}

func (d *domain) unseen(f *Facts, c *Control) string {
	has := func(what string) bool { return f.Seen[what] > 0 }
	switch {
	case len(d.needs) > 0 && !slices.ContainsFunc(d.needs, has):
		return d.text
	case d.live && !f.Live:
		return fmt.Sprintf("a running cluster tells (%s); this is none", d.glob)
	case d.whole && len(f.Namespaces) > 0:
		return fmt.Sprintf("the whole cluster tells (%s), and chosen namespaces were looked at", d.glob)
	case !f.Live && f.Seen["engine"] == 0 && len(d.files) > 0 && !slices.ContainsFunc(d.files, has):
		return "no " + strings.Join(d.files, ", no ") + " is among what was looked at"
	}
	if why := f.missed(d.reads); why != "" {
		return "could not be listed: " + why
	}
	if d.also != nil {
		return d.also(f, c)
	}
	return ""
}

func (f *Facts) unlisted(needs []string) string {
	if why := f.missed(needs); why != "" {
		return "could not be listed: " + why
	}
	return ""
}
