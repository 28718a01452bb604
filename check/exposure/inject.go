package exposure

import (
	"strconv"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

var injectRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "exposure/ingress-injection", Severity: high, Title: "An Ingress breaks out of nginx's configuration",
			Tags:  []string{"attack:T1190", "attack:T1552.007", "cve:CVE-2025-1097", "cve:CVE-2021-25745"},
			Fix:   "delete it, and find out who made it; bring the controller up to date",
			Why:   "the value ends the directive that the controller writes it into and begins others: on versions that do not check, it reads the controller's token and every TLS key of the cluster, or runs code. Nothing that works needs it",
			Noise: "an expression that has a semicolon or brace right before one of nginx's own words",
			Refs:  []string{"https://kubernetes.io/blog/2025/03/24/ingress-nginx-cve-2025-1974/", "https://github.com/kubernetes/ingress-nginx/issues/8502"}},
		Kinds: ingressKind, Object: injections,
	},
	{
		Kind: reachable,
		Rule: misconfig.Rule{ID: "exposure/ingress-nginx-admission", Severity: high, Title: "ingress-nginx runs code for whoever reaches its admission webhook",
			Tags:  []string{"attack:T1190", "attack:T1210", "cve:CVE-2025-1974"},
			Fix:   "bring the controller to 1.11.5, 1.12.1 or later, or to another controller, for this one gets no updates since March 2026; until then take --validating-webhook and the webhook's configuration out",
			Why:   "before these versions any pod sends the webhook an Ingress that makes it load a library (CVE-2025-1974): it has the right to read every Secret",
			Noise: "distributions that mended it under an old version",
			Refs:  []string{"https://kubernetes.io/blog/2025/03/24/ingress-nginx-cve-2025-1974/"}},
		Workload: oldAdmission,
	},
}

// breaksOut are the ends of a directive that another, or a new line, follows.
var breaksOut = lazyregexp.New(`[;{}][\s}]*(?:#|\n|ssl_engine|load_module|alias|location|proxy_pass|return|root\s|include|content_by_lua|access_by_lua|set_by_lua|server\s*\{|perl)`)

// injections looks at values that nginx takes as a part of a directive; snippets are told of
// for themselves.
func injections(h *posture.Hits, o *kube.Object) {
	for name, value := range annotations(o) {
		if strings.HasPrefix(name, nginx) && !strings.HasSuffix(name, "-snippet") && breaksOut.MatchString(value) {
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Evidence: name + " has " + breaksOut.FindString(value) + " in it"})
		}
	}
	for i, r := range o.Root.Get("spec", "rules").Items() {
		for j, p := range r.Get("http", "paths").Items() {
			if text := p.Get("path").Text(); breaksOut.MatchString(text) || strings.ContainsAny(text, "\n\r") {
				h.Add(posture.Hit{Object: o, Path: []any{"spec", "rules", i, "http", "paths", j, "path"}, Evidence: "the path has a directive of nginx in it: " + text[:min(len(text), 80)]})
			}
		}
	}
}

// oldAdmission finds controllers with the flaw by the tags of their images.
func oldAdmission(h *posture.Hits, w *kube.Workload) {
	for i := range w.Containers {
		c := &w.Containers[i]
		if !strings.HasSuffix(kube.ImageName(c.Image), "ingress-nginx/controller") || !strings.Contains(strings.Join(c.Args, " ")+strings.Join(c.Command, " "), "--validating-webhook") {
			continue
		}
		if tag := tagOf(c.Image); oldController(tag) {
			h.Container(w, c, []any{"image"}, "ingress-nginx "+tag+" with --validating-webhook")
		}
	}
}

func tagOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	return name[strings.LastIndexByte(name, ':')+1:]
}

// oldController tells whether a version is before 1.11.5, or 1.12.0.
func oldController(tag string) bool {
	tag, _, _ = strings.Cut(strings.TrimPrefix(tag, "v"), "-")
	var v [3]int
	parts := strings.Split(tag, ".")
	if len(parts) != len(v) {
		return false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return false
		}
		v[i] = n
	}
	switch {
	case v[0] != 1:
		return v[0] == 0
	case v[1] == 11:
		return v[2] < 5
	case v[1] == 12:
		return v[2] < 1
	}
	return v[1] < 11
}
