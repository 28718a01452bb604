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
	// "version" for what tells the versions of its components.
	Seen map[string]int
	// Unseen are resources that could not be listed, with why.
	Unseen map[string]string
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
		f.Live, f.Unseen = true, s.Cluster.Unseen
		f.Seen["cluster"]++
		if s.Cluster.Version != "" {
			f.Seen["version"]++
		}
	}
	for _, o := range s.Objects {
		f.object(s, o)
	}
	for _, w := range s.Workloads() {
		f.Seen["workload"]++
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
	case o.Is("", "Node"):
		f.Seen["version"]++
	}
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
			if slices.Contains(of, name) {
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
