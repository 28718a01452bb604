package rbac

import "strings"

// Operated are resources of an API group on whose word a well-known operator acts.
type Operated struct {
	Group string
	Makes []string // pods, or anything else, as the resources say
	Leads []string // what the operator itself runs, or as whom it acts elsewhere
}

// ByOperators are the groups of well-known operators.
func ByOperators() []Operated {
	list := make([]Operated, len(operated))
	for i, o := range operated {
		list[i] = Operated{o[0], strings.Fields(o[1]), strings.Fields(o[2])}
	}
	return list
}

var operated = [...][3]string{
	{"argoproj.io", "applications applicationsets rollouts workflows cronworkflows workflowtemplates clusterworkflowtemplates sensors eventsources"},
	{"tekton.dev", "tasks taskruns pipelines pipelineruns clustertasks"},
	{"kustomize.toolkit.fluxcd.io", "kustomizations"},
	{"helm.toolkit.fluxcd.io", "helmreleases"},
	{"helm.cattle.io", "helmcharts helmchartconfigs"},
	{"serving.knative.dev", "services configurations"},
	{"kubevirt.io", "virtualmachines virtualmachineinstances"},
	{"sparkoperator.k8s.io", "sparkapplications scheduledsparkapplications"},
	{"ray.io", "rayclusters rayjobs rayservices"},
	{"kubeflow.org", "notebooks tfjobs pytorchjobs mpijobs"},
	{"batch.volcano.sh", "jobs"},
	{"jobset.x-k8s.io", "jobsets"},
	{"leaderworkerset.x-k8s.io", "leaderworkersets"},
	{"keda.sh", "scaledjobs"},
	{"actions.summerwind.dev", "runners runnerdeployments"},
	{"monitoring.coreos.com", "prometheuses alertmanagers thanosrulers"},
	{"apps.kruise.io", "clonesets daemonsets statefulsets"},
	{"kubernetes.crossplane.io", "objects", "providerconfigs"},
	{"helm.crossplane.io", "releases"},
	{"pkg.crossplane.io", "", "providers configurations functions deploymentruntimeconfigs"},
	{"operators.coreos.com", "", "subscriptions clusterserviceversions"},
	{"apps.openshift.io", "deploymentconfigs"},
	{"build.openshift.io", "builds buildconfigs"},
}
