package exposure

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/check/internal/setting"
	"bulwark/kube"
)

var transitRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/database-plain", Severity: medium, Title: "A program is told to talk to its database without TLS",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "sslmode=verify-full (or the like), with the database's CA",
			Why:   "passwords and data go in the clear, or to whoever answers with any certificate. Medium outside of the cluster; low within, where it takes somebody on the node or in the network",
			Noise: "a mesh that encrypts below; names that seem to lead outside and do not",
			Refs:  []string{"https://www.postgresql.org/docs/current/libpq-ssl.html", "https://owasp.org/www-project-kubernetes-top-ten/"}},
		Set: plainDatabases,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/connection-plain", Severity: medium, Title: "A program talks to another network without TLS",
			Tags:  []string{"attack:T1040", "attack:T1557"},
			Fix:   "rediss, amqps, ldaps, mongodb with tls=true",
			Why:   "the address is outside of the cluster, and the protocol sends passwords and data in the clear",
			Noise: "private links to a network that is trusted as one's own",
			Refs:  []string{"https://kubernetes.io/docs/concepts/security/security-checklist/"}},
		Set: plainConnections,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/tls-not-verified", Severity: low, Title: "A program accepts any certificate",
			Tags:  []string{"attack:T1557"},
			Fix:   "give it the CA of the other side instead",
			Why:   "whoever stands on the way can be the other side: TLS then keeps nothing secret. Low, since that takes somebody inside of the network; medium where a token or password of the cluster's goes that way",
			Noise: "connections within one pod; kubelets whose certificates nobody signs",
			Refs:  []string{"https://kubernetes.io/docs/tasks/tls/managing-tls-in-a-cluster/"}},
		Set: notVerified,
	},
	{
		Rule: misconfig.Rule{ID: "exposure/apiservice-not-verified", Severity: medium, Title: "The API server trusts whoever answers for an extension",
			Tags:  []string{"attack:T1557"},
			Fix:   "take insecureSkipTLSVerify out and give caBundle; cert-manager fills it in",
			Why:   "whoever can take the Service's place answers API requests, and is told by the API server who asks: also administrators' requests. Medium, since it takes a place in the cluster's network",
			Noise: "the metrics server as it is shipped, which only tells of use",
			Refs:  []string{"https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/"}},
		Kinds: []string{"APIService.apiregistration.k8s.io"},
		Object: func(h *posture.Hits, o *kube.Object) {
			if o.Root.Get("spec", "insecureSkipTLSVerify").True() {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "insecureSkipTLSVerify"}, Evidence: "insecureSkipTLSVerify: true"})
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "exposure/metadata-used", Severity: low, Title: "A pod asks the cloud's metadata service",
			Tags:  []string{"attack:T1552.005"},
			Fix:   "use the identity of workloads, and block 169.254.169.254 for pods",
			Why:   "the metadata of the node gives tokens of the node's own role, which every pod of it can then use. Low, since asking for a region or project is no harm by itself",
			Noise: "agents of the cloud that have to",
			Refs:  []string{"https://cloud.google.com/kubernetes-engine/docs/how-to/protecting-cluster-metadata", "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html"}},
		Set: metadataUsed,
	},
}

var (
	noTLS    = regexp.MustCompile(`(?i)\b(sslmode|ssl-mode|ssl_mode|usessl|ssl|tls|encrypt|trustservercertificate|tlsallowinvalidcertificates|tlsinsecure|ssl_cert_reqs|verifyservercertificate)=(disabled?|false|true|none|allow|no|0)\b`)
	hostPart = regexp.MustCompile(`://(?:[^/@\s]*@)?(\[[0-9a-fA-F:]+\]|[\w.-]+)|\b(?:host|server)=([\w.-]+)`)
	address  = regexp.MustCompile(`\b(redis|amqp|mongodb(?:\+srv)?|ldap|ftp|mqtt|nats|stomp)://(?:[^/@\s"']*@)?([\w.-]+)(?::\d+)?([^\s"']*)`)
)

// off tells whether an option of a database's address turns TLS, or its checks, off.
func off(name, value string) bool {
	v := strings.ToLower(value)
	switch strings.ToLower(name) {
	case "trustservercertificate", "tlsallowinvalidcertificates", "tlsinsecure":
		return v == "true"
	case "ssl_cert_reqs":
		return v == "none"
	}
	return v != "true"
}

// outsideHost tells whether a host is outside of the cluster and of private networks, as far
// as its name tells.
func outsideHost(host string) bool {
	host = strings.ToLower(strings.Trim(strings.TrimSuffix(host, "."), "[]"))
	if addr, err := netip.ParseAddr(host); err == nil {
		return !addr.IsPrivate() && !addr.IsLoopback() && !addr.IsLinkLocalUnicast() && !addr.IsUnspecified()
	}
	for _, suffix := range []string{".svc", ".cluster.local", ".local", ".internal", ".lan", ".localdomain", ".localhost", ".example", ".test", ".consul", ".example.com", ".example.org", "example.com"} {
		if strings.HasSuffix(host, suffix) {
			return false
		}
	}
	labels := strings.Split(host, ".")
	return len(labels) > 2 || len(labels) == 2 && slices.Contains([]string{"com", "net", "org", "io", "dev", "cloud", "app", "eu", "de", "ai"}, labels[1])
}

func plainDatabases(h *posture.Hits, s *kube.Set) {
	for t := range setting.Of(s) {
		if t.Kind == setting.Variable && t.Name == "PGSSLMODE" && (t.Value == "disable" || t.Value == "allow") {
			h.Add(posture.Hit{Object: t.Object, Path: t.Path(), Severity: low, Evidence: t.Where() + ": " + t.Value})
			continue
		}
		if !strings.Contains(t.Value, "=") || len(t.Value) > 1<<20 || !looksLikeDatabase(t.Value) {
			continue
		}
		for line := range strings.Lines(t.Value) {
			for _, m := range noTLS.FindAllStringSubmatch(line, 5) {
				host := ""
				if at := hostPart.FindStringSubmatch(line); at != nil {
					host = orElse(at[1], at[2])
				}
				if !off(m[1], m[2]) || !looksLikeDatabase(line) || local(host) {
					continue
				}
				hit := posture.Hit{Object: t.Object, Path: t.Path(), Severity: low, Evidence: t.Where() + " has " + m[0]}
				if host != "" {
					hit.Evidence += ", for " + host
				}
				if outsideHost(host) {
					hit.Severity = medium
				}
				h.Add(hit)
			}
		}
	}
}

func local(host string) bool { return host == "localhost" || strings.HasPrefix(host, "127.") }

// looksLikeDatabase tells whether a text may be the address of one.
func looksLikeDatabase(text string) bool {
	for _, word := range []string{"postgres", "jdbc:", "mysql", "mongodb", "sslmode=", "@tcp(", "sqlserver", "rediss", "redis:", "Server=", "Host=", "clickhouse", "mariadb"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func plainConnections(h *posture.Hits, s *kube.Set) {
	for t := range setting.Of(s) {
		if !strings.Contains(t.Value, "://") || len(t.Value) > 1<<20 {
			continue
		}
		for _, m := range address.FindAllStringSubmatch(t.Value, 20) {
			rest := strings.ToLower(m[3])
			if !outsideHost(m[2]) || m[1] == "mongodb+srv" || strings.Contains(rest, "tls=true") || strings.Contains(rest, "ssl=true") {
				continue
			}
			h.Add(posture.Hit{Object: t.Object, Path: t.Path(), Evidence: t.Where() + " has an address of " + m[2] + " with " + m[1] + ", which is in the clear"})
		}
	}
}

// skips are arguments that turn the check of certificates off; true where a token of the
// cluster goes that way.
var skips = map[string]bool{
	"--insecure-skip-tls-verify": true, "--kubelet-insecure-tls": true, "--insecure-skip-verify": false, "--skip-tls-verify": false, "--tls-skip-verify": false, "--insecure-tls": false, "--tls-insecure-skip-verify": false,
	"--upstream-ca-insecure": false, "--ssl-insecure-skip-verify": false, "--ssl-insecure": false, "--insecure-registry": false, "--kubelet-certificate-authority-insecure": true, "--tls-insecure": false,
}

// skipVariables are the ends of variables that do, with the value that does.
var skipVariables = []struct{ suffix, value string }{
	{"NODE_TLS_REJECT_UNAUTHORIZED", "0"}, {"PYTHONHTTPSVERIFY", "0"}, {"GIT_SSL_NO_VERIFY", "true"}, {"GIT_SSL_NO_VERIFY", "1"}, {"SKIP_TLS_VERIFY", "true"}, {"TLS_SKIP_VERIFY", "true"}, {"INSECURE_SKIP_VERIFY", "true"},
	{"VAULT_SKIP_VERIFY", "true"}, {"VAULT_SKIP_VERIFY", "1"}, {"SSL_VERIFY", "false"}, {"TLS_VERIFY", "false"}, {"VERIFY_SSL", "false"}, {"VERIFY_TLS", "false"}, {"SSL_VERIFICATION", "false"}, {"SSL_NO_VERIFY", "true"}, {"TLS_INSECURE", "true"}, {"VERIFY_CERTS", "false"},
}

func notVerified(h *posture.Hits, s *kube.Set) {
	for t := range setting.Of(s) {
		switch t.Kind {
		case setting.Variable:
			for _, v := range skipVariables {
				if strings.HasSuffix(strings.ToUpper(t.Name), v.suffix) && strings.EqualFold(t.Value, v.value) {
					h.Add(posture.Hit{Object: t.Object, Path: t.Path(), Evidence: t.Where() + " is " + t.Value})
					break
				}
			}
		case setting.Argument:
			name, value, assigned := strings.Cut(t.Value, "=")
			if cluster, ok := skips[name]; ok && (!assigned || value == "true" || name == "--insecure-registry") {
				hit := posture.Hit{Object: t.Object, Path: t.Path(), Evidence: t.Where() + " is " + t.Value}
				if cluster {
					hit.Severity = medium
				}
				h.Add(hit)
			}
		}
	}
	monitors(h, s)
}

// monitors looks at what Prometheus is told to scrape with a token.
func monitors(h *posture.Hits, s *kube.Set) {
	for _, m := range []struct{ kind, list string }{{"ServiceMonitor", "endpoints"}, {"PodMonitor", "podMetricsEndpoints"}} {
		for _, o := range s.Kind("monitoring.coreos.com", m.kind) {
			for i, e := range o.Root.Get("spec", m.list).Items() {
				token := e.Get("bearerTokenFile").Exists() || e.Get("bearerTokenSecret").Exists() || e.Get("authorization").Exists() || e.Get("basicAuth").Exists()
				if !e.Get("tlsConfig", "insecureSkipVerify").True() {
					continue
				}
				hit := posture.Hit{Object: o, Path: []any{"spec", m.list, i, "tlsConfig", "insecureSkipVerify"}, Severity: low, Evidence: "insecureSkipVerify: true, and nothing secret is sent", Tags: hygiene}
				if token {
					hit.Tags, hit.Evidence = nil, "insecureSkipVerify: true, and a token or password is sent"
				}
				h.Add(hit)
			}
		}
	}
}

var metadataAddress = regexp.MustCompile(`\b169\.254\.169\.254\b|\bmetadata\.google\.internal\b|\b169\.254\.170\.2\b|\b100\.100\.100\.200\b`)

func metadataUsed(h *posture.Hits, s *kube.Set) {
	for t := range setting.Of(s) {
		if t.Workload == nil || strings.HasPrefix(strings.ToUpper(t.Name), "NO_PROXY") {
			continue
		}
		if m := metadataAddress.FindString(t.Value); m != "" {
			h.Add(posture.Hit{Object: t.Object, Path: t.Path(), Severity: bulwark.SeverityLow, Evidence: t.Where() + " has " + m})
		}
	}
}
