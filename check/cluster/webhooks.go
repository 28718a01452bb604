package cluster

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

const admissionGroup = "admissionregistration.k8s.io"

// webhook is one webhook of a configuration.
type webhook struct {
	object   *kube.Object
	root     *kube.Node
	at       []any
	mutating bool
}

func (w *webhook) name() string { return w.root.Get("name").Text() }

func (w *webhook) path(steps ...any) []any { return append(slices.Clone(w.at), steps...) }

// ignores tells whether what cannot be asked about is let in; v1beta1's default was that.
func (w *webhook) ignores() bool {
	policy := w.root.Get("failurePolicy").Text()
	return policy == "Ignore" || policy == "" && strings.HasSuffix(w.object.APIVersion, "/v1beta1")
}

// asked tells whether the webhook is asked about a verb and a resource of the core.
func (w *webhook) asked(verb string, resources ...string) bool {
	for _, r := range w.root.Get("rules").Items() {
		groups, verbs := r.Get("apiGroups").Strings(), r.Get("operations").Strings()
		if !slices.Contains(groups, "*") && !slices.Contains(groups, "") || !slices.Contains(verbs, "*") && !slices.Contains(verbs, verb) {
			continue
		}
		for _, name := range r.Get("resources").Strings() {
			if name == "*" || name == "*/*" || slices.Contains(resources, name) {
				return true
			}
		}
	}
	return false
}

// webhookRule makes a rule that looks at every webhook; what it says is one finding for a
// configuration, with a line for each webhook.
func webhookRule(r misconfig.Rule, look func(w *webhook, s *kube.Set) *posture.Hit) *posture.Rule {
	return &posture.Rule{Rule: r, Kinds: []string{"ValidatingWebhookConfiguration." + admissionGroup, "MutatingWebhookConfiguration." + admissionGroup},
		Object: func(h *posture.Hits, o *kube.Object) {
			for i, n := range o.Root.Get("webhooks").Items() {
				w := &webhook{object: o, root: n, at: []any{"webhooks", i}, mutating: o.Kind == "MutatingWebhookConfiguration"}
				if hit := look(w, h.Set); hit != nil {
					hit.Object, hit.Evidence = o, "webhook "+w.name()+": "+hit.Evidence
					h.Add(*hit)
				}
			}
		}}
}

func webhookRules() []*posture.Rule {
	return []*posture.Rule{
		webhookRule(misconfig.Rule{ID: "cluster/webhook-fails-open", Severity: medium, Title: "A webhook that decides lets everything in when it does not answer", Tags: []string{"cis:5.2.1", "kubescape:C-0036"},
			Fix: "set failurePolicy to Fail, run several replicas, and exempt kube-system and the webhook's own namespace",
			Why: "whoever stops or slows it (a full node is enough) is checked by nobody; for policy engines it is medium, for others low", Noise: "a check that only advises, or one that a second look covers", Refs: []string{docsWebhooks}},
			failsOpen),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-deadlock", Severity: medium, Title: "A webhook can stop the whole cluster",
			Fix: "exempt kube-system and the webhook's own namespace by namespaceSelector (kubernetes.io/metadata.name NotIn), or narrow the rules",
			Why: "when it does not answer no pod can start, not even those of the network and of the webhook itself: the cluster does not come back alone", Noise: "a webhook that runs outside of the cluster", Refs: []string{docsWebhooks}},
			deadlock),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-sends-secrets", Severity: medium, Title: "A webhook outside of the cluster is shown every Secret", Tags: []string{"attack:T1552.007", "attack:T1567"},
			Fix: "name the resources that it decides over, without secrets; or run it in the cluster (clientConfig.service)",
			Why: "the API server sends it each Secret with its values as it is written: whoever runs that address has them all, and a webhook that changes objects writes what it wants into them", Noise: "policy services that are run outside on purpose", Refs: []string{docsWebhooks}},
			sendsSecrets),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-bypass-label", Severity: medium, Title: "Who creates an object can excuse it from a webhook",
			Fix: "choose by namespaceSelector with labels that tenants cannot set, and refuse the excusing label", Why: "a label on the pod itself turns the check off, and its author writes it", Noise: "another policy may keep the label from being set", Refs: []string{docsWebhooks}},
			bypassLabel),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-opt-in", Severity: low, Title: "A webhook checks only namespaces that ask for it",
			Fix: "select all namespaces but named ones (NotIn)", Why: "a new namespace is checked by nobody until somebody labels it", Noise: "a check that is meant for some namespaces alone", Refs: []string{docsWebhooks}},
			optIn),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-slow", Severity: low, Title: "A webhook may take longer than 10 seconds",
			Fix: "set timeoutSeconds to 3, 10 at most", Why: "every request waits for it, and the waits of several add up until clients give up: one slow webhook stops a cluster", Noise: "image verification that asks a registry", Refs: []string{docsWebhooks}},
			func(w *webhook, _ *kube.Set) *posture.Hit {
				if v, ok := w.root.Get("timeoutSeconds").Int(); ok && v > 10 {
					return &posture.Hit{Path: w.path("timeoutSeconds"), Evidence: fmt.Sprintf("timeoutSeconds: %d", v), Edits: []kube.Edit{kube.Put(10, w.path("timeoutSeconds")...)}}
				}
				return nil
			}),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-side-effects", Severity: low, Hygiene: true, Title: "A webhook says that it does more than answer",
			Fix: "set sideEffects to None, or NoneOnDryRun", Why: "dry runs are refused, or do what they must not", Noise: "v1 takes nothing else", Refs: []string{docsDynamic}},
			func(w *webhook, _ *kube.Set) *posture.Hit {
				if v := w.root.Get("sideEffects").Text(); v == "Some" || v == "Unknown" {
					return &posture.Hit{Path: w.path("sideEffects"), Evidence: "sideEffects: " + v}
				}
				return nil
			}),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-no-ca", Severity: low, Hygiene: true, Title: "A webhook has no caBundle",
			Fix: "give it the bundle, or the annotation by which cert-manager does", Why: "the API server then trusts every public authority for it, or cannot ask it at all", Noise: "something may fill it in when it is installed", Refs: []string{docsDynamic}},
			noCA),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-no-reinvocation", Severity: low, Hygiene: true, Title: "A webhook that changes pods does not see what others add later",
			Fix: "set reinvocationPolicy to IfNeeded, and make what it does the same when done twice", Why: "containers that a later webhook injects do not get its settings", Noise: "what it changes may not depend on containers", Refs: []string{docsDynamic}},
			func(w *webhook, _ *kube.Set) *posture.Hit {
				if w.mutating && w.root.Get("reinvocationPolicy").Text() == "Never" && w.asked("CREATE", "pods") {
					return &posture.Hit{Path: w.path("reinvocationPolicy"), Evidence: "reinvocationPolicy: Never"}
				}
				return nil
			}),
		webhookRule(misconfig.Rule{ID: "cluster/webhook-no-update", Severity: low, Title: "A policy engine is asked when pods are created and not when they are changed",
			Fix: "add UPDATE to operations, and pods/ephemeralcontainers to resources", Why: "an image is changed, or a debugging container with privileges added, after the check", Noise: "another webhook of the engine may be asked about it", Refs: []string{docsDynamic}},
			noUpdate),
	}
}

func isEngine(o *kube.Object) bool {
	return slices.ContainsFunc(engineNames, func(name string) bool { return strings.Contains(o.Name, name) })
}

func failsOpen(w *webhook, _ *kube.Set) *posture.Hit {
	if w.mutating || !w.ignores() {
		return nil
	}
	hit := &posture.Hit{Path: w.path("failurePolicy"), Evidence: "failurePolicy: Ignore", Severity: low}
	if isEngine(w.object) || w.asked("CREATE", "pods") {
		hit.Severity = medium
	}
	return hit
}

// deadlock finds webhooks that pods of the system cannot start without.
func deadlock(w *webhook, _ *kube.Set) *posture.Hit {
	service := w.root.Get("clientConfig", "service")
	if w.ignores() || !service.Exists() || !w.asked("CREATE", "pods") || w.root.Get("matchConditions").Len() > 0 || w.root.Get("objectSelector", "matchLabels").Len()+w.root.Get("objectSelector", "matchExpressions").Len() > 0 {
		return nil
	}
	own := service.Get("namespace").Text()
	if exempts(w.root.Get("namespaceSelector"), system) || exempts(w.root.Get("namespaceSelector"), own) && own != "" {
		return nil
	}
	return &posture.Hit{Path: w.path("namespaceSelector"), Evidence: "failurePolicy: Fail for pods of every namespace, kube-system and its own (" + own + ") too"}
}

// exempts tells whether a selector of namespaces may leave a namespace out: it is not known
// which labels that has beside its name.
func exempts(selector *kube.Node, namespace string) bool {
	if selector.Get("matchLabels").Len() > 0 {
		return true
	}
	for _, e := range selector.Get("matchExpressions").Items() {
		key, values := e.Get("key").Text(), e.Get("values").Strings()
		switch e.Get("operator").Text() {
		case "NotIn":
			if key != "kubernetes.io/metadata.name" && key != "name" || slices.Contains(values, namespace) {
				return true
			}
		case "In", "Exists", "DoesNotExist":
			return true
		}
	}
	return false
}

func sendsSecrets(w *webhook, _ *kube.Set) *posture.Hit {
	u := w.root.Get("clientConfig", "url").Text()
	if u == "" || !w.asked("CREATE", "secrets") && !w.asked("UPDATE", "secrets") || atHome(u) {
		return nil
	}
	return &posture.Hit{Path: w.path("clientConfig", "url"), Evidence: "secrets are sent to " + u}
}

// atHome tells whether an address is one of the cluster's own: its names, or the machine of
// the API server itself.
func atHome(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".svc") || strings.HasSuffix(host, ".cluster.local") || err == nil && (ip.IsLoopback() || ip.IsPrivate())
}

func bypassLabel(w *webhook, _ *kube.Set) *posture.Hit {
	if w.mutating || !w.asked("CREATE", "pods", "deployments", "jobs") {
		return nil
	}
	for i, e := range w.root.Get("objectSelector", "matchExpressions").Items() {
		if op := e.Get("operator").Text(); op == "NotIn" || op == "DoesNotExist" {
			return &posture.Hit{Path: w.path("objectSelector", "matchExpressions", i), Evidence: strings.TrimSpace("objectSelector " + e.Get("key").Text() + " " + op + " " + strings.Join(e.Get("values").Strings(), ","))}
		}
	}
	if w.root.Get("objectSelector", "matchLabels").Len() > 0 {
		return &posture.Hit{Path: w.path("objectSelector"), Evidence: "objectSelector.matchLabels: pods without the label are not checked", Severity: low}
	}
	return nil
}

func optIn(w *webhook, _ *kube.Set) *posture.Hit {
	selector := w.root.Get("namespaceSelector")
	if w.mutating || !w.asked("CREATE", "pods") {
		return nil
	}
	for label, v := range selector.Get("matchLabels").Fields() {
		return &posture.Hit{Path: w.path("namespaceSelector"), Evidence: "namespaceSelector " + label + "=" + v.Text()}
	}
	for _, e := range selector.Get("matchExpressions").Items() {
		if op := e.Get("operator").Text(); op == "In" || op == "Exists" {
			return &posture.Hit{Path: w.path("namespaceSelector"), Evidence: "namespaceSelector " + e.Get("key").Text() + " " + op}
		}
	}
	return nil
}

func noCA(w *webhook, _ *kube.Set) *posture.Hit {
	if w.root.Get("clientConfig", "caBundle").Text() != "" || !w.root.Get("clientConfig", "service").Exists() {
		return nil
	}
	for name := range w.object.Annotations {
		if strings.Contains(name, "cert-manager.io/") || strings.Contains(name, "inject-ca") || strings.Contains(name, "inject-cabundle") {
			return nil
		}
	}
	return &posture.Hit{Path: w.path("clientConfig"), Evidence: "clientConfig.caBundle is empty"}
}

func noUpdate(w *webhook, _ *kube.Set) *posture.Hit {
	if w.mutating || !isEngine(w.object) || !w.asked("CREATE", "pods") {
		return nil
	}
	if !w.asked("UPDATE", "pods") {
		return &posture.Hit{Path: w.path("rules"), Evidence: "operations lack UPDATE for pods"}
	}
	if !w.asked("UPDATE", "pods/ephemeralcontainers", "pods/*", "*/*") {
		return &posture.Hit{Path: w.path("rules"), Evidence: "pods/ephemeralcontainers is not among the resources"}
	}
	return nil
}
