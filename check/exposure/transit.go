package exposure

import (
	"net/netip"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/check/internal/setting"
	"bulwark/internal/lazyregexp"
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
		Rule: misconfig.Rule{ID: "exposure/monitor-not-verified", Severity: low, Title: "Prometheus sends its token to whoever answers",
			Tags:  []string{"attack:T1557"},
			Fix:   "tlsConfig.ca or caFile with the authority of the other side, in place of insecureSkipVerify",
			Why:   "with insecureSkipVerify a pod that takes the target's place gets the token, which reads the metrics of everything. Low, since that takes a place inside of the network",
			Noise: "targets whose certificates nobody signs, as kubelets without serving certificates",
			Refs:  []string{"https://kubernetes.io/docs/tasks/tls/managing-tls-in-a-cluster/"}},
		Set: monitors,
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
			Why:   "the metadata of the node gives tokens of the node's own role, which every pod of it can then use. Low where it is asked for credentials, and hygiene where it is for a region or project",
			Noise: "agents of the cloud that have to",
			Refs:  []string{"https://cloud.google.com/kubernetes-engine/docs/how-to/protecting-cluster-metadata", "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html"}},
		Set: metadataUsed,
	},
}

var (
	noTLS    = lazyregexp.New(`(?i)\b(sslmode|ssl-mode|ssl_mode|usessl|ssl|tls|encrypt|trustservercertificate|tlsallowinvalidcertificates|tlsinsecure|ssl_cert_reqs|verifyservercertificate)=(disabled?|false|true|none|allow|no|0)\b`)
	hostPart = lazyregexp.New(`://(?:[^/@\s]*@)?(\[[0-9a-fA-F:]+\]|[\w.-]+)|\b(?:host|server)=([\w.-]+)`)
	address  = lazyregexp.New(`\b(redis|amqp|mongodb(?:\+srv)?|ldap|ftp|mqtt|nats|stomp)://(?:[^/@\s"']*@)?([\w.-]+)(?::\d+)?([^\s"']*)`)
)

// mayTurnOff tells whether noTLS may find something: quickly, in texts that are long and have
// nothing of the kind.
func mayTurnOff(text string) bool {
	for {
		i := strings.IndexByte(text, '=')
		if i < 0 || i+1 == len(text) {
			return false
		}
		if strings.IndexByte("dftna0DFTNA", text[i+1]) >= 0 && i > 0 && strings.IndexByte("elstELST", text[i-1]) >= 0 {
			return true
		}
		text = text[i+1:]
	}
}

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
		if len(t.Value) > 1<<20 || !mayTurnOff(t.Value) || !looksLikeDatabase(t.Value) {
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

// asksForCredentials tells whether a text names the parts of the metadata that give rights.
func asksForCredentials(text string) bool {
	for _, part := range []string{"security-credentials", "service-accounts", "/token", "/identity", "user-data", "attributes/kube-env", "managed-identity"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

var metadataAddress = lazyregexp.New(`\b169\.254\.169\.254\b|\bmetadata\.google\.internal\b|\b169\.254\.170\.2\b|\b100\.100\.100\.200\b`)

func metadataUsed(h *posture.Hits, s *kube.Set) {
	for t := range setting.Of(s) {
		if t.Workload == nil || !strings.Contains(t.Value, "169.254.") && !strings.Contains(t.Value, "metadata.google") && !strings.Contains(t.Value, "100.100.100.200") || strings.HasPrefix(strings.ToUpper(t.Name), "NO_PROXY") {
			continue
		}
		m := metadataAddress.FindString(t.Value)
		if m == "" {
			continue
		}
		hit := posture.Hit{Object: t.Object, Path: t.Path(), Evidence: t.Where() + " has " + m}
		if !asksForCredentials(t.Value) {
			hit.Tags = hygiene
		}
		h.Add(hit)
	}
}
