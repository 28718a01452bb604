package rbac

import (
	"slices"
	"strings"
	"sync"
)

// Resource is a kind of thing that requests are about.
type Resource struct {
	Name       string // plural, as requests have it: "deployments"
	Group      string
	Kind       string
	Short      []string
	Namespaced bool
}

// resources are those that are written, when they are asked for first.
var resources = sync.OnceValue(func() []Resource { return parseResources(written) })

// written are the resources of Kubernetes itself that people ask about, with kubectl's short names:
// group, then "name Kind short,short" each; an asterisk behind the name: it has no namespace.
var written = map[string]string{
	"": "bindings Binding;componentstatuses* ComponentStatus cs;configmaps ConfigMap cm;endpoints Endpoints ep;events Event ev;limitranges LimitRange limits;namespaces* Namespace ns;" +
		"nodes* Node no;persistentvolumeclaims PersistentVolumeClaim pvc;persistentvolumes* PersistentVolume pv;pods Pod po;podtemplates PodTemplate;replicationcontrollers ReplicationController rc;" +
		"resourcequotas ResourceQuota quota;secrets Secret;serviceaccounts ServiceAccount sa;services Service svc;users* User;groups* Group",
	"admissionregistration.k8s.io": "mutatingwebhookconfigurations* MutatingWebhookConfiguration;validatingwebhookconfigurations* ValidatingWebhookConfiguration;" +
		"validatingadmissionpolicies* ValidatingAdmissionPolicy;validatingadmissionpolicybindings* ValidatingAdmissionPolicyBinding;mutatingadmissionpolicies* MutatingAdmissionPolicy;mutatingadmissionpolicybindings* MutatingAdmissionPolicyBinding",
	"apiextensions.k8s.io":         "customresourcedefinitions* CustomResourceDefinition crd,crds",
	"apiregistration.k8s.io":       "apiservices* APIService",
	"apps":                         "controllerrevisions ControllerRevision;daemonsets DaemonSet ds;deployments Deployment deploy;replicasets ReplicaSet rs;statefulsets StatefulSet sts",
	"authentication.k8s.io":        "selfsubjectreviews* SelfSubjectReview;tokenreviews* TokenReview;uids* UID;userextras* UserExtra",
	"authorization.k8s.io":         "localsubjectaccessreviews LocalSubjectAccessReview;selfsubjectaccessreviews* SelfSubjectAccessReview;selfsubjectrulesreviews* SelfSubjectRulesReview;subjectaccessreviews* SubjectAccessReview",
	"autoscaling":                  "horizontalpodautoscalers HorizontalPodAutoscaler hpa",
	"batch":                        "cronjobs CronJob cj;jobs Job",
	"certificates.k8s.io":          "certificatesigningrequests* CertificateSigningRequest csr;clustertrustbundles* ClusterTrustBundle;signers* Signer;podcertificaterequests PodCertificateRequest",
	"coordination.k8s.io":          "leases Lease",
	"discovery.k8s.io":             "endpointslices EndpointSlice",
	"flowcontrol.apiserver.k8s.io": "flowschemas* FlowSchema;prioritylevelconfigurations* PriorityLevelConfiguration",
	"networking.k8s.io":            "ingressclasses* IngressClass;ingresses Ingress ing;networkpolicies NetworkPolicy netpol;ipaddresses* IPAddress ip;servicecidrs* ServiceCIDR",
	"gateway.networking.k8s.io":    "gatewayclasses* GatewayClass gc;gateways Gateway gtw;httproutes HTTPRoute;grpcroutes GRPCRoute;referencegrants ReferenceGrant refgrant",
	"node.k8s.io":                  "runtimeclasses* RuntimeClass",
	"policy":                       "poddisruptionbudgets PodDisruptionBudget pdb;podsecuritypolicies* PodSecurityPolicy psp",
	Group:                          "clusterrolebindings* ClusterRoleBinding;clusterroles* ClusterRole;rolebindings RoleBinding;roles Role",
	"resource.k8s.io":              "deviceclasses* DeviceClass;resourceclaims ResourceClaim;resourceclaimtemplates ResourceClaimTemplate;resourceslices* ResourceSlice",
	"scheduling.k8s.io":            "priorityclasses* PriorityClass pc",
	"storage.k8s.io":               "csidrivers* CSIDriver;csinodes* CSINode;csistoragecapacities CSIStorageCapacity;storageclasses* StorageClass sc;volumeattachments* VolumeAttachment;volumeattributesclasses* VolumeAttributesClass vac",
	"metrics.k8s.io":               "nodes* NodeMetrics;pods PodMetrics",
}

func parseResources(groups map[string]string) []Resource {
	var list []Resource
	for group, text := range groups {
		for part := range strings.SplitSeq(text, ";") {
			words := strings.Fields(part)
			r := Resource{Group: group, Kind: words[1], Namespaced: true}
			if name, ok := strings.CutSuffix(words[0], "*"); ok {
				words[0], r.Namespaced = name, false
			}
			r.Name = words[0]
			if len(words) > 2 {
				r.Short = strings.Split(words[2], ",")
			}
			list = append(list, r)
		}
	}
	// The core group is first, as kubectl prefers it.
	slices.SortFunc(list, func(a, b Resource) int { return strings.Compare(a.Group+"/"+a.Name, b.Group+"/"+b.Name) })
	return list
}

// byWord are the resources that a word may mean, the core group's first.
var byWord = sync.OnceValue(func() map[string][]int {
	words := map[string][]int{}
	for i, r := range resources() {
		for _, w := range append([]string{r.Name, strings.ToLower(r.Kind)}, r.Short...) {
			words[w] = append(words[w], i)
		}
	}
	return words
})

// Lookup finds what people call a resource: "po", "pod", "Pod", "pods", "deployments.apps",
// "deploy.apps". ok is false when it is none of Kubernetes' own; then the resource has the
// name and group that were given, and is taken to live in namespaces.
func Lookup(word string) (r Resource, ok bool) {
	name, group, grouped := strings.Cut(word, ".")
	name = strings.ToLower(name)
	if v, rest, ok := strings.Cut(group, "."); ok && version(v) {
		group = rest // deployments.v1.apps
	}
	for _, i := range byWord()[name] {
		if r := resources()[i]; !grouped || r.Group == group {
			return r, true
		}
	}
	return Resource{Name: name, Group: group, Namespaced: true}, name == "*"
}

func version(s string) bool { return len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9' }

// Resources lists what Lookup knows.
func Resources() []Resource { return slices.Clone(resources()) }
