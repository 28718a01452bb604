package secrets

import (
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/check/internal/setting"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

var literalRules = []*posture.Rule{
	{
		Kind: bulwark.KindSecret,
		Rule: misconfig.Rule{ID: "secrets/literal", Severity: medium, Title: "A secret is written into an object that is no Secret",
			Tags:  []string{"sec:SEC02", "attack:T1552.007", "kubelinter:env-var-secret", "kubescape:C-0012", "trivy:KSV-0109"},
			Fix:   "replace the secret, keep the new one in a Secret or an external store, and refer to it (secretKeyRef, a mounted file)",
			Why:   "whoever may read pods, workloads or ConfigMaps reads it, and so do logs, backups and the history of Git; rights to read Secrets are not asked for. High for tokens whose form says what they open, since they work from anywhere",
			Noise: "a default of an example that is nowhere in use; names of keys that are no secret for an application of its own",
			Refs:  []string{practices, "https://attack.mitre.org/techniques/T1552/007/"}},
		Set: literals,
	},
}

// literals looks at whatever programs are configured with, and at annotations.
func literals(h *posture.Hits, s *kube.Set) {
	read := len(h.Target.Layers) > 0 // the search for secrets reads the files themselves
	for t := range setting.Of(s) {
		if f, ok := judge(t, read && t.Object.Origin.File != ""); ok {
			h.Add(posture.Hit{Object: t.Object, Path: t.Path(), Evidence: t.Where() + f.text, Severity: f.severity})
		}
	}
	for _, w := range s.Workloads() {
		inWorkload(h, w)
	}
	for _, o := range s.Objects {
		annotations(h, o, read && o.Origin.File != "")
	}
}

type found struct {
	text     string
	severity bulwark.Severity
}

// judge says what secret a setting has in it. Of a file that is read for secrets anyway it
// tells what that search leaves out: passwords that are plain words.
func judge(t *setting.Setting, read bool) (found, bool) {
	if m, before, _, ok := kube.ParseMasked(t.Value); ok {
		return masked(t.Name, before, &m)
	}
	if !read {
		if what := vendor(t.Value); what != "" {
			return found{" has " + what + " in it", high}, true
		}
		if credentials(t.Value) {
			return found{" has an address with its password in it", medium}, true
		}
	}
	switch {
	case t.Kind == setting.Argument:
		return argument(t, read)
	case strings.ContainsAny(t.Value, "\n"):
		return lines(t, read)
	case literal(t.Name, t.Value) && (!read || plain(t.Name, t.Value)):
		return found{" has its value written down", medium}, true
	}
	return found{}, false
}

// masked judges a value that the source kept to itself, for which it asked [Holds].
func masked(name, before string, m *kube.Masked) (found, bool) {
	if before != "" { // a part of a text has it: its name stands right before
		words := strings.FieldsFunc(before[strings.LastIndexByte(before, '\n')+1:], func(r rune) bool { return strings.ContainsRune(" =:\"'", r) })
		if len(words) > 0 {
			name = strings.TrimLeft(words[len(words)-1], "-")
		}
	}
	switch m.Why {
	case "pem":
		return found{" has a private key in it", high}, true
	case "url":
		return found{" has an address with its password in it", medium}, true
	case "shape":
		return found{" has " + shaped(m.Shown) + " in it", high}, true
	}
	if before != "" {
		return found{" has the value of " + name + " in it", medium}, true
	}
	return found{" has its value written down", medium}, true
}

// shaped names a token by its first characters.
func shaped(start string) string {
	for i := range tokens {
		if a := tokens[i].anchor; start != "" && (strings.HasPrefix(a, start) || strings.HasPrefix(start, a)) {
			return tokens[i].what
		}
	}
	return "a token"
}

var assignment = lazyregexp.New(`(?:^|[\s"';&(])(?:--?)?([A-Za-z][\w.-]{2,60}?)[= ]["']?([^\s"';&|)]+)`)

// argument looks at --password=x, at "--password", "x", and at commands of a shell.
func argument(t *setting.Setting, read bool) (found, bool) {
	if name, ok := strings.CutPrefix(t.Value, "--"); ok && !strings.ContainsAny(name, " =\n") {
		if named(name) == sure && !strings.HasPrefix(t.Next, "-") && literal(name, t.Next) && (!read || plain(name, t.Next)) {
			return found{" behind --" + name + " is a password", medium}, true
		}
		return found{}, false
	}
	text := t.Value
	if len(text) > 64<<10 || !mentions(text) {
		return found{}, false
	}
	for _, m := range assignment.FindAllStringSubmatch(text, 200) {
		assigned := strings.Contains(m[0], "=") || strings.Contains(m[0], "--")
		if assigned && literal(m[1], m[2]) && (!read || plain(m[1], m[2])) {
			return found{" has the value of " + m[1] + " in it", medium}, true
		}
	}
	return found{}, false
}

// lines looks at a file of settings.
func lines(t *setting.Setting, read bool) (found, bool) {
	if len(t.Value) > 1<<20 || !mentions(t.Value) {
		return found{}, false
	}
	for name, value := range setting.Pairs(t.Value) {
		if literal(name, value) && !code(name, value) && (!read || plain(name, value)) {
			return found{" has the value of " + name + " in it", medium}, true
		}
	}
	return found{}, false
}

var dotted = lazyregexp.New(`^[A-Za-z_]+(?:\.[A-Za-z_]+)+$`)

// code tells whether a value is an expression of some language rather than a value.
func code(name, value string) bool {
	return strings.ContainsAny(value, "(){}[]$|,;") || dotted.MatchString(value) || strings.EqualFold(name, value)
}

const applied = "kubectl.kubernetes.io/last-applied-configuration"

// annotations looks at those of an object and of its pods.
func annotations(h *posture.Hits, o *kube.Object, read bool) {
	if len(o.Annotations) == 0 || o.Is("bitnami.com", "SealedSecret") {
		return
	}
	for name, n := range o.Root.Get("metadata", "annotations").Fields() {
		value := n.Text()
		if name == applied || value == "" {
			continue
		}
		if m, before, _, ok := kube.ParseMasked(value); ok {
			if f, ok := masked(name, before, &m); ok && (m.Why != "name" || known(name)) {
				h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Severity: f.severity, Evidence: "the annotation " + name + f.text})
			}
			continue
		}
		what := ""
		if !read {
			what = vendor(value)
		}
		switch {
		case what != "":
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Severity: high, Evidence: "the annotation " + name + " has " + what + " in it"})
		case !read && credentials(value):
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Evidence: "the annotation " + name + " has an address with its password in it"})
		case known(name) && literal(name, value) && (!read || plain(name, value)):
			h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Evidence: "the annotation " + name + " has its value written down"})
		}
	}
}

// known tells whether an annotation named as a secret is meant to have one: those of
// Kubernetes' and its tools' own have names of Secrets.
func known(name string) bool {
	domain, _, ok := strings.Cut(name, "/")
	return !ok || !slices.ContainsFunc([]string{"kubernetes.io", "k8s.io", "cert-manager.io", "hashicorp.com", "argoproj.io", "istio.io", "external-secrets.io", "linkerd.io", "checksum"}, func(s string) bool { return strings.HasSuffix(domain, s) })
}
