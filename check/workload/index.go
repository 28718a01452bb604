package workload

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"bulwark/kube"
)

// index is what rules look up in a set, made once.
type index struct {
	mounts  map[*kube.Workload][]hostMount // of those that have any
	scripts map[*kube.Workload][]script    // of the first that have any
	more    bool                           // there are more scripts than were kept
	at      map[string][]*kube.Workload    // by namespace
	budgets map[string][]budget            // by namespace
	scalers map[string][]*kube.Object      // by namespace and name of what they scale
	ranges  map[string][]*kube.Object      // LimitRanges by namespace
}

// budget is a PodDisruptionBudget with its selector; nil when that is none.
type budget struct {
	object   *kube.Object
	selector labels.Selector
}

func indexOf(s *kube.Set) *index { return kube.Memo(s, newIndex) }

func newIndex(s *kube.Set) *index {
	x := &index{
		mounts: map[*kube.Workload][]hostMount{}, scripts: map[*kube.Workload][]script{}, at: map[string][]*kube.Workload{},
		budgets: map[string][]budget{}, scalers: map[string][]*kube.Object{}, ranges: map[string][]*kube.Object{},
	}
	room := mostScripts
	for _, w := range s.Workloads() {
		x.at[w.Namespace] = append(x.at[w.Namespace], w)
		if list := mountsOf(s, w); list != nil {
			x.mounts[w] = list
		}
		x.keep(w, &room)
	}
	for _, o := range s.Kind("policy", "PodDisruptionBudget") {
		x.budgets[o.Namespace] = append(x.budgets[o.Namespace], budget{o, selectorOf(o.Root.Get("spec", "selector"))})
	}
	for _, o := range slices.Concat(s.Kind("autoscaling", "HorizontalPodAutoscaler"), s.Kind("keda.sh", "ScaledObject")) {
		key := o.Namespace + "/" + o.Root.Get("spec", "scaleTargetRef", "name").Text()
		x.scalers[key] = append(x.scalers[key], o)
	}
	for _, o := range s.Kind("", "LimitRange") {
		x.ranges[o.Namespace] = append(x.ranges[o.Namespace], o)
	}
	return x
}

// hostMounts gives the paths of the node that containers have.
func hostMounts(s *kube.Set, w *kube.Workload) []hostMount { return indexOf(s).mounts[w] }

// scriptsOf gives all commands of a workload.
func scriptsOf(s *kube.Set, w *kube.Workload) []script {
	x := indexOf(s)
	if list, ok := x.scripts[w]; ok || !x.more {
		return list
	}
	return scripts(w)
}

// mostScripts is how much of the texts of commands is kept: aliases may say one very often.
const mostScripts = 8 << 20

// keep keeps the commands of a workload while there is room.
func (x *index) keep(w *kube.Workload, room *int) {
	if *room < 0 {
		x.more = true
		return
	}
	list := scripts(w)
	for i := range list {
		*room -= len(list[i].text)
	}
	if len(list) > 0 {
		x.scripts[w] = list
	}
}

// selectorOf is a label selector; nil when there is none, or it is wrong.
func selectorOf(n *kube.Node) labels.Selector {
	if !n.Exists() {
		return nil
	}
	var s metav1.LabelSelector
	n.Decode(&s, "")
	sel, err := metav1.LabelSelectorAsSelector(&s)
	if err != nil {
		return nil
	}
	return sel
}

// selects tells whether a budget is of a workload's pods.
func (b *budget) selects(w *kube.Workload) bool {
	return b.selector != nil && b.selector.Matches(labels.Set(w.Meta.Labels))
}

// budgetOf is the budget that an object of the set is.
func (x *index) budgetOf(o *kube.Object) *budget {
	for i := range x.budgets[o.Namespace] {
		if b := &x.budgets[o.Namespace][i]; b.object == o {
			return b
		}
	}
	return &budget{object: o}
}

// scaler is the autoscaler of a workload; nil when there is none.
func scaler(s *kube.Set, w *kube.Workload) *kube.Object {
	for _, o := range indexOf(s).scalers[w.Namespace+"/"+w.Name] {
		if kind := o.Root.Get("spec", "scaleTargetRef", "kind"); kind.Text() == w.Kind || !kind.Exists() {
			return o
		}
	}
	return nil
}

// target is the workload that an autoscaler scales; nil when it is not there.
func target(s *kube.Set, o *kube.Object) *kube.Workload {
	ref := o.Root.Get("spec", "scaleTargetRef")
	for _, w := range indexOf(s).at[o.Namespace] {
		if w.Kind == ref.Get("kind").Text() && w.Name == ref.Get("name").Text() {
			return w
		}
	}
	return nil
}
