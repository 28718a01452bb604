package framework

import (
	"maps"
	"slices"
	"strings"

	"bulwark"
	"bulwark/kube"
)

// Facts are what is known of a look at a target beside its findings.
type Facts struct {
	Asset bulwark.AssetID
	Live  bool // a cluster, not what somebody wrote
	// Seen counts what was looked at, by kind of object; "workload" stands for everything that
	// runs pods, "component:..." for programs of Kubernetes whose command line was seen,
	// "config:..." for their files, "image" for files of an image, "cluster" for one that runs,
	// "version" for what tells the versions of its components. "workload:placed" are workloads
	// that say their namespace, "workload:token" those that mount the token of an account that
	// is not the default one, "binding:elsewhere" bindings of roles that are not there, and
	// "secret:read" Secrets whose values were read. "engine" stands for engines that run
	// containers on a machine, "docker" for one whose settings were read, "docker:files" for one
	// whose files were.
	Seen map[string]int
	// Unseen are resources that could not be listed, with why.
	Unseen map[string]string
	// Namespaces are those that were looked at; nil: all.
	Namespaces []string
	// Unread says what of the files could not be read; "" when all could.
	Unread string
	// Rules are those that ran to their end.
	Rules []bulwark.Rule
	// Failed are plugins whose rules did not, with why.
	Failed map[string]string
	// Doubts are what was left out by those who judge the versions of a cluster's components;
	// "" when nothing was.
	Doubts string
}

// FactsOf gathers what a target shows.
func FactsOf(t *bulwark.Target) Facts {
	f := Facts{Asset: t.Asset.ID, Seen: map[string]int{}}
	if t.Image != nil {
		f.Seen["image"]++
	}
	s := kube.Of(t)
	if s == nil {
		return f
	}
	if s.Cluster != nil {
		f.Live, f.Unseen, f.Namespaces = true, s.Cluster.Unseen, s.Cluster.Namespaces
		f.Seen["cluster"]++
		if s.Cluster.Version != "" {
			f.Seen["version"]++
		}
	}
	if s.Engine {
		f.Seen["engine"]++
	}
	for _, o := range s.Objects {
		f.object(s, o)
	}
	if n := len(s.Broken); n > 0 {
		f.Unread = s.Broken[0].File + ": " + s.Broken[0].Err.Error()
	}
	for _, w := range s.Workloads() {
		f.Seen["workload"]++
		if w.Root.Get("metadata", "namespace").Exists() {
			f.Seen["workload:placed"]++
		}
		if w.ServiceAccount() != "default" && (w.Spec.AutomountServiceAccountToken == nil || *w.Spec.AutomountServiceAccountToken) {
			f.Seen["workload:token"]++
		}
		for i := range w.Containers {
			if c := w.Containers[i].Component(); c != "" {
				f.Seen["component:"+c]++
			}
		}
	}
	return f
}

// carried are configurations that ConfigMaps of kubeadm hold.
var carried = map[string][]string{
	"kube-system/ConfigMap/kubeadm-config": {"component:kube-apiserver", "component:kube-controller-manager", "component:kube-scheduler", "component:etcd"},
	"kube-system/ConfigMap/kubelet-config": {"config:KubeletConfiguration"},
	"kube-system/ConfigMap/kube-proxy":     {"config:KubeProxyConfiguration"},
}

func (f *Facts) object(s *kube.Set, o *kube.Object) {
	f.Seen[o.Kind]++
	for _, what := range carried[o.ID()] {
		f.Seen[what]++
	}
	switch {
	case o.Is("kubeadm.k8s.io", "ClusterConfiguration"):
		for _, what := range carried["kube-system/ConfigMap/kubeadm-config"] {
			f.Seen[what]++
		}
	case o.Is("audit.k8s.io", "Policy"):
		f.Seen["config:AuditPolicy"]++
	case strings.HasSuffix(o.Kind, "Configuration") && strings.HasSuffix(o.Group(), "config.k8s.io"):
		f.Seen["config:"+o.Kind]++
	case o.Is("engine", "Engine") && o.Name == "docker":
		f.engine(o)
	case o.Is("", "Node"):
		f.Seen["version"]++
	case o.Is("", "Secret") && kube.ValuesOf(o).Read:
		f.Seen["secret:read"]++
	case o.Is(rights, "RoleBinding"), o.Is(rights, "ClusterRoleBinding"):
		if elsewhere(s, o) {
			f.Seen["binding:elsewhere"]++
		}
	}
}

// engine takes what is known of Docker itself: its settings, and the files that it has them from.
func (f *Facts) engine(o *kube.Object) {
	if o.Root.Get("config").Exists() {
		f.Seen["docker"]++
	}
	if o.Root.Get("files").Len() > 0 {
		f.Seen["docker:files"]++
	}
}

// Documents takes the files that images are built by.
func (f *Facts) Documents(list []bulwark.Document) {
	for i := range list {
		if list[i].Kind == "dockerfile" {
			f.Seen["Dockerfile"]++
		}
	}
}

const rights = "rbac.authorization.k8s.io"

// elsewhere tells whether the role of a binding is neither there nor one that every cluster has.
func elsewhere(s *kube.Set, binding *kube.Object) bool {
	ref := binding.Root.Get("roleRef")
	kind, name := ref.Get("kind").Text(), ref.Get("name").Text()
	if kind == "Role" {
		return s.Find(binding.Namespace+"/Role/"+name) == nil
	}
	known := []string{"cluster-admin", "admin", "edit", "view"}
	return !slices.Contains(known, name) && !strings.HasPrefix(name, "system:") && s.Find("ClusterRole/"+name) == nil
}

// plural is a kind as resources are called.
func plural(kind string) string {
	k := strings.ToLower(kind)
	switch {
	case strings.HasSuffix(k, "y") && !strings.HasSuffix(k, "ay"):
		return k[:len(k)-1] + "ies"
	case strings.HasSuffix(k, "s"):
		return k + "es"
	}
	return k + "s"
}

// workloads are the resources that everything that runs pods is read from.
var workloads = []string{"pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"}

// missed says which of the needs could not be listed, and why; "" when all could.
func (f *Facts) missed(needs []string) string {
	var list []string
	for resource, why := range f.Unseen {
		name, _, _ := strings.Cut(resource, ".")
		for _, need := range needs {
			of := []string{plural(need)}
			if need == "workload" {
				of = workloads
			}
			if strings.HasPrefix(need, "component:") {
				of = []string{"pods"}
			}
			if need == "config:KubeletConfiguration" {
				of = []string{"nodes/proxy"}
			}
			if slices.Contains(of, name) || need == "NetworkPolicy" && strings.HasSuffix(name, "networkpolicies") {
				list = append(list, strings.TrimSuffix(resource+": "+why, ": "))
			}
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "; ")
}

// judges are plugins without rules of their own that make findings of another's.
var judges = map[string]string{"check/cluster/components": "vuln/*"}

// Ran takes the rules of plugins that were asked. Those of a plugin that could not look at
// everything, by the notes about the target, did not run to their end.
func (f *Facts) Ran(plugins []bulwark.Plugin, notes []bulwark.Note) {
	f.Failed = map[string]string{}
	missed := map[string]string{}
	for i := range notes {
		if judges[notes[i].Plugin] != "" && f.Doubts == "" {
			f.Doubts = notes[i].Text
		}
		if n := &notes[i]; n.Incomplete && !f.Live && f.Unread == "" && strings.HasPrefix(n.Plugin, "source/") {
			f.Unread = strings.TrimPrefix(n.Path+": "+n.Text, ": ")
		}
		if n := &notes[i]; n.Incomplete && missed[n.Plugin] == "" {
			missed[n.Plugin] = n.Text
			if rule := judges[n.Plugin]; rule != "" {
				f.Failed[rule] = n.Text
			}
		}
	}
	for _, p := range plugins {
		ruler, ok := p.(bulwark.Ruler)
		if !ok {
			continue
		}
		for _, r := range ruler.Rules() {
			switch {
			case missed[p.Info().Name] != "":
				f.Failed[r.ID] = missed[p.Info().Name]
			default:
				f.Rules = append(f.Rules, r)
			}
		}
	}
	f.Rules = slices.DeleteFunc(f.Rules, func(r bulwark.Rule) bool { return f.Failed[r.ID] != "" })
}

// Part adds what is known of a part of the target, an image that runs in a cluster, and the
// notes about that.
func (f *Facts) Part(part *Facts, name string, notes []bulwark.Note) {
	for what, n := range part.Seen {
		f.Seen[what] += n
	}
	for rule, why := range part.Failed {
		f.Failed[rule] = name + ": " + why
	}
	f.Rules = slices.DeleteFunc(f.Rules, func(r bulwark.Rule) bool { return f.Failed[r.ID] != "" })
	for i := range notes {
		if n := &notes[i]; n.Incomplete && strings.HasPrefix(n.Plugin, "source/") {
			f.Unseen = maps.Clone(f.Unseen) // the target's own
			if f.Unseen == nil {
				f.Unseen = map[string]string{}
			}
			f.Unseen["images"] = n.Text
		}
	}
}
