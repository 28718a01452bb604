package cluster

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// auditRules are about the file that says what the API server writes down. That it writes
// down secrets is found by their own family, as is how they are encrypted.
func auditRules() []*posture.Rule {
	return settingRules("audit.k8s.io", "Policy", []setting{
		{Rule: misconfig.Rule{ID: "cluster/audit-nothing", Severity: medium, Title: "The audit policy leaves out what matters", Tags: []string{"cis:3.2.1", "cis:3.2.2"},
			Fix: "end the rules with one of level Metadata for all, and let None stand for noise alone (leases, health)", Why: "what nobody wrote down cannot be found out afterwards", Noise: "another log of the same requests", Refs: []string{docsAudit}},
			wrong: auditsNothing},
		{Rule: misconfig.Rule{ID: "cluster/audit-omits-answers", Severity: low, Title: "The audit log leaves out how requests ended", Tags: []string{"cis:3.2.2"},
			Fix: "take ResponseComplete and Panic out of omitStages; RequestReceived may stay", Why: "without the answer nobody knows who tried and who succeeded", Noise: "rules that stand before may have it", Refs: []string{docsAudit}},
			wrong: func(n *kube.Node) (string, []any) {
				for _, stage := range n.Get("omitStages").Strings() {
					if stage == "ResponseComplete" || stage == "Panic" {
						return "omitStages has " + stage, []any{"omitStages"}
					}
				}
				return "", nil
			}},
		{Rule: misconfig.Rule{ID: "cluster/audit-no-exec", Severity: low, Title: "The audit log does not have who ran commands in pods", Tags: []string{"cis:3.2.2"},
			Fix: "give pods/exec, pods/attach, pods/portforward and pods/ephemeralcontainers level Metadata or more", Why: "a shell in a pod is what an intruder does first", Noise: "a sensor on the nodes may have it", Refs: []string{docsAudit}},
			wrong: func(n *kube.Node) (string, []any) {
				level, rule := auditLevel(n, "", "pods/exec", "create")
				if level == "None" || level == "" {
					return "pods/exec has " + levelText(level, rule), rulePath(rule)
				}
				return "", nil
			}},
	})
}

// auditLevel is the level of the first rule that decides about a resource for everybody,
// and which rule that is; -1 when none does.
func auditLevel(n *kube.Node, group, resource, verb string) (level string, rule int) {
	for i, r := range n.Get("rules").Items() {
		if r.Get("users").Len()+r.Get("userGroups").Len()+r.Get("namespaces").Len()+r.Get("nonResourceURLs").Len() > 0 {
			continue // it is about some requests alone
		}
		if verbs := r.Get("verbs").Strings(); len(verbs) > 0 && !slices.Contains(verbs, verb) {
			continue
		}
		if r.Get("resources").Len() == 0 || coversResource(r.Get("resources"), group, resource) {
			return r.Get("level").Text(), i
		}
	}
	return "", -1
}

func coversResource(list *kube.Node, group, resource string) bool {
	whole, sub, _ := strings.Cut(resource, "/")
	for _, r := range list.Items() {
		if r.Get("group").Text() != group && r.Get("group").Text() != "*" || r.Get("resourceNames").Len() > 0 {
			continue
		}
		names := r.Get("resources").Strings()
		if len(names) == 0 {
			return true
		}
		for _, name := range names {
			if name == "*" || name == resource || sub != "" && (name == whole+"/*" || name == "*/"+sub) {
				return true
			}
		}
	}
	return false
}

func levelText(level string, rule int) string {
	if rule < 0 {
		return "no rule"
	}
	return "level " + level
}

func rulePath(rule int) []any {
	if rule < 0 {
		return []any{"rules"}
	}
	return []any{"rules", rule}
}

func auditsNothing(n *kube.Node) (string, []any) {
	if n.Get("rules").Len() == 0 {
		return "there are no rules", []any{"rules"}
	}
	for _, what := range []struct{ group, resource, verb string }{
		{"", "secrets", "get"}, {"", "pods", "create"}, {"rbac.authorization.k8s.io", "clusterrolebindings", "create"}, {"apps", "deployments", "update"},
	} {
		if level, rule := auditLevel(n, what.group, what.resource, what.verb); level == "None" || level == "" {
			return what.verb + " of " + what.resource + " has " + levelText(level, rule), rulePath(rule)
		}
	}
	return "", nil
}

// loggingRules are about what is kept of what containers say.
func loggingRules() []*posture.Rule {
	return append(settingRules(kubeletGroup, "KubeletConfiguration", []setting{
		{Rule: misconfig.Rule{ID: "cluster/kubelet-log-rotation", Severity: low, Title: "Logs of containers are turned over too soon, or never",
			Fix: "leave containerLogMaxSize at 10Mi and containerLogMaxFiles at 5, or set them higher", Why: "an intruder who writes a few lines more has the traces pushed out; without a bound the disk fills", Noise: "a shipper that is quick enough", Refs: []string{docsLogging}},
			wrong: logRotation},
	}), &posture.Rule{
		Rule: misconfig.Rule{ID: "cluster/no-log-shipper", Severity: low, Hygiene: true, Title: "Nothing that ships logs off the nodes was recognised",
			Fix: "run a collector on every node (Fluent Bit, Vector, Alloy, the OpenTelemetry collector) that sends logs where intruders cannot delete them",
			Why: "logs on a node go with the node, and whoever takes it deletes them", Noise: "the provider, or an agent on the machine, may do it: this is by the names of what runs", Refs: []string{docsLogging}},
		Set: func(h *posture.Hits, s *kube.Set) {
			if s.Cluster == nil || !seen(s, "pods", "daemonsets.apps") || slices.ContainsFunc(s.Workloads(), shipsLogs) {
				return
			}
			h.Add(posture.Hit{Object: whole(s), Evidence: "no DaemonSet runs a known collector of logs"})
		},
	})
}

// whole stands for the cluster where no one object is to blame.
func whole(s *kube.Set) *kube.Object {
	if o := s.Find("Namespace/" + system); o != nil {
		return o
	}
	return &kube.Object{APIVersion: "v1", Kind: "Cluster", Name: s.Cluster.Name}
}

// seen tells whether resources could be listed, all of them in all namespaces.
func seen(s *kube.Set, resources ...string) bool {
	if s.Cluster == nil || len(s.Cluster.Namespaces) > 0 {
		return false
	}
	for _, r := range resources {
		for unseen := range s.Cluster.Unseen {
			if unseen == r || strings.HasPrefix(r, unseen+".") {
				return false
			}
		}
	}
	return true
}

var shippers = []string{"fluent", "vector", "promtail", "alloy", "grafana-agent", "filebeat", "elastic-agent", "logstash", "otel", "opentelemetry-collector", "datadog", "splunk", "newrelic",
	"cloudwatch", "stackdriver", "omsagent", "ama-logs", "logdna", "sumologic", "loggie", "logging-agent", "logtail", "scalyr", "dynatrace"}

func shipsLogs(w *kube.Workload) bool {
	for i := range w.Containers {
		name := kube.ImageName(w.Containers[i].Image)
		if w.Kind == "DaemonSet" && slices.ContainsFunc(shippers, func(s string) bool { return strings.Contains(name, s) }) {
			return true
		}
	}
	return false
}

func logRotation(n *kube.Node) (string, []any) {
	if v, ok := n.Get("containerLogMaxFiles").Int(); ok && v < 3 {
		return "containerLogMaxFiles: " + n.Get("containerLogMaxFiles").Text(), []any{"containerLogMaxFiles"}
	}
	size := n.Get("containerLogMaxSize")
	if q, ok := bytesOf(size.Text()); size.Exists() && ok && (q < 1<<20 || q > 1<<30) {
		return "containerLogMaxSize: " + size.Text(), []any{"containerLogMaxSize"}
	}
	return "", nil
}
