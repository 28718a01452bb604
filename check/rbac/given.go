package rbac

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"bulwark"
	"bulwark/check/internal/posture"
	"bulwark/kube"
	authz "bulwark/rbac"
)

// given is a binding with the subjects that a rule is about, by their positions.
type given struct {
	*authz.Binding
	at []int
}

// bindings gives those bindings that have subjects which are wanted.
func bindings(s *kube.Set, wanted func(*authz.Binding, authz.Subject) bool) []given {
	var list []given
	for _, b := range authz.Of(s).Bindings {
		g := given{Binding: b}
		for i, subject := range b.Subjects {
			if subject.Real() && wanted(b, subject) {
				g.at = append(g.at, i)
			}
		}
		if len(g.at) > 0 {
			list = append(list, g)
		}
	}
	return list
}

// hit is a finding of the binding: who it is about, and what the role allows.
func (g *given) hit(severity bulwark.Severity, more ...string) posture.Hit {
	h := posture.Hit{Object: g.Object, Path: []any{"subjects", g.at[0]}, Severity: severity}
	for i, at := range g.at {
		if i == mostHolders {
			more = slices.Insert(more, 0, fmt.Sprintf("and %d more subjects", len(g.at)-i))
			break
		}
		h.More = append(h.More, fmt.Sprintf("%s%s is bound to %s %s", g.Subjects[at], line(g.Object, "subjects", at), g.RefID(), g.where()))
	}
	h.More = append(h.More, more...)
	return h
}

func (g *given) where() string {
	if g.Namespace == "" {
		return "everywhere"
	}
	return "in " + g.Namespace
}

func line(o *kube.Object, path ...any) string {
	l := o.Place(path...)
	if l.File == "" {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", l.File, max(l.Line, 1))
}

// drop takes the subjects out, the last ones first.
func (g *given) drop() []kube.Edit {
	var list []kube.Edit
	for _, at := range slices.Backward(g.at) {
		list = append(list, kube.Drop("subjects", at))
	}
	return list
}

// dangersOf tells what a binding makes possible, and how bad the worst of it is.
func dangersOf(b *authz.Binding) (names []string, worst bulwark.Severity) {
	if b.Role == nil {
		return nil, none
	}
	for _, d := range dangers {
		level := none
		for _, from := range append([]*authz.Role{b.Role}, b.Role.From...) {
			for _, h := range d.look(from) {
				switch b.Namespace {
				case "":
					level = max(level, h.wide)
				case system:
					level = max(level, h.system)
				default:
					level = max(level, h.own)
				}
			}
		}
		if level != none {
			names, worst = append(names, d.ID), max(worst, level)
		}
	}
	return names, worst
}

// allows is a line of evidence of what the role of a binding makes possible.
func allows(b *authz.Binding, names []string) string {
	switch {
	case b.Role == nil:
		return "the role was not seen"
	case len(names) == 0:
		return fmt.Sprintf("%s%s allows nothing that is known to be dangerous", b.Role.ID(), placeOf(b.Role))
	case len(names) > 5:
		names = append(slices.Clone(names[:5]), fmt.Sprintf("and %d more", len(names)-5))
	}
	return fmt.Sprintf("%s%s allows what these rules are about: %s", b.Role.ID(), placeOf(b.Role), strings.Join(names, ", "))
}

func placeOf(r *authz.Role) string {
	if r.Object == nil {
		return " (built in)"
	}
	return line(r.Object)
}

// harmless are the roles that Kubernetes itself gives to everybody.
var harmless = []string{"system:public-info-viewer", "system:discovery", "system:basic-user", "system:service-account-issuer-discovery", "system:cluster-trust-bundle-discovery"}

func isHarmless(b *authz.Binding) bool {
	if b.RefKind == "ClusterRole" && slices.Contains(harmless, b.RefName) && b.Role != nil {
		names, _ := dangersOf(b) // somebody may have changed it
		return len(names) == 0
	}
	return b.Namespace == "kube-public" && named(b.Role) // cluster-info, which kubeadm shows to all who join
}

// named tells whether all of a role's rules read single objects alone.
func named(r *authz.Role) bool {
	return r != nil && len(r.Rules) > 0 && !slices.ContainsFunc(r.Rules, func(rule authz.Rule) bool {
		return len(rule.Names) == 0 || !slices.Equal(rule.Verbs, []string{"get"})
	})
}

func isGroup(s authz.Subject, name string) bool { return s.Kind == authz.UserGroup && s.Name == name }

func unknown(s authz.Subject) bool {
	return isGroup(s, authz.Unauthenticated) || s.Kind == authz.User && s.Name == authz.Anonymous
}

func everybody(s authz.Subject) bool { return isGroup(s, authz.Authenticated) }

func everyAccount(s authz.Subject) bool {
	return s.Kind == authz.UserGroup && (s.Name == authz.ServiceAccounts || strings.HasPrefix(s.Name, authz.ServiceAccounts+":"))
}

// crowd tells whether a subject is judged by a rule of its own.
func crowd(s authz.Subject) bool { return unknown(s) || everybody(s) || everyAccount(s) }

// console tells whether a subject is a tool that others steer without being asked who they are.
func console(s authz.Subject) bool {
	return s.Kind == authz.ServiceAccount && (strings.Contains(s.Name, "kubernetes-dashboard") || s.Name == "tiller" || s.Namespace == "kubernetes-dashboard" && s.Name != "default")
}

func isRole(b *authz.Binding, names ...string) bool {
	return b.RefKind == "ClusterRole" && slices.Contains(names, b.RefName)
}

func account(s authz.Subject) bool { return s.Kind == authz.ServiceAccount }

// crowdLevel is how bad it is that very many have what is that bad for one.
func crowdLevel(worst bulwark.Severity) bulwark.Severity {
	switch {
	case worst >= high:
		return critical
	case worst == medium:
		return high
	}
	return medium
}

// missing tells which service accounts do not exist, as far as that can be known: of a
// cluster, and of manifests that make accounts in the namespace, unless it is one where
// others make some as well.
func missing(s *kube.Set) func(*authz.Binding, authz.Subject) bool {
	cluster := authz.Of(s).Known("serviceaccounts")
	made, there := map[string]bool{}, map[authz.Subject]bool{}
	for _, o := range s.Kind("", "ServiceAccount") {
		made[o.Namespace] = true
		there[authz.Account(o.Namespace, o.Name)] = true
	}
	return func(b *authz.Binding, subject authz.Subject) bool {
		if b.Role != nil && b.Role.Default() && subject.Namespace == system {
			return false // controllers' accounts, which a control plane that somebody else runs has not
		}
		if cluster {
			return account(subject) && !there[subject]
		}
		elsewhere := strings.HasPrefix(subject.Namespace, "kube-") || subject.Namespace == "default" || subject.Name == "default"
		return account(subject) && !there[subject] && made[subject.Namespace] && !elsewhere
	}
}

// logRead finds pods that write /var/log of the node with an account that reads logs.
func logRead(h *posture.Hits, s *kube.Set) {
	rights := authz.Of(s)
	for _, w := range s.Workloads() {
		for i, v := range w.Spec.Volumes {
			if v.HostPath == nil || !slices.Contains([]string{"/", "/var", "/var/log"}, path.Clean(v.HostPath.Path)) || !writes(w, v.Name) {
				continue
			}
			who := authz.Account(w.Namespace, w.ServiceAccount())
			way, ok := rights.Can(who.Identity(), authz.Request{Verb: "get", Resource: "pods", Subresource: "log", Namespace: w.Namespace})
			if ok {
				h.Add(posture.Hit{Object: w.Object, Path: w.Path("volumes", i), Evidence: "volume " + v.Name + " is " + v.HostPath.Path + " of the node, and may be written", More: []string{way.String()}})
			}
		}
	}
}

// writes tells whether a container mounts a volume to write it.
func writes(w *kube.Workload, volume string) bool {
	for i := range w.Containers {
		for _, m := range w.Containers[i].VolumeMounts {
			if m.Name == volume && !m.ReadOnly {
				return true
			}
		}
	}
	return false
}

const nodes = "system:nodes"

// ofInstaller tells whether a binding is one that installers of clusters make for nodes: to
// renew certificates, to read their own settings.
func ofInstaller(b *authz.Binding) bool {
	for _, name := range []string{b.RefName, b.Object.Name} {
		for _, prefix := range []string{"system:", "kubeadm:", "eks:", "gce:", "gke-", "rke2-", "k3s-", "kubelet-"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
