package watch

import (
	"cmp"
	"encoding/json"
	"strings"
	"unicode"

	"bulwark"
)

// audited is what a line of an audit log is about, as far as it names it.
type audited struct {
	Verb, RequestURI string
	User             struct{ Username string }
	ObjectRef        struct{ Resource, Subresource, Namespace, Name, APIGroup string }
	RequestObject    json.RawMessage
	ResponseObject   json.RawMessage
}

func readAudited(doc []byte) (v audited, ok bool) { return v, json.Unmarshal(doc, &v) == nil }

// requested is who asked what: "alice create pods/exec shop/web".
func (v *audited) requested() string {
	o := v.ObjectRef
	path, _, _ := strings.Cut(v.RequestURI, "?")
	what := cmp.Or(o.Resource, path)
	if o.Subresource != "" {
		what += "/" + o.Subresource
	}
	return strings.Join(nonempty(v.User.Username, v.Verb, what, strings.Trim(o.Namespace+"/"+o.Name, "/")), " ")
}

// cluster is the one whose audit log is looked at.
func (w *Watcher) cluster() bulwark.Asset {
	name := cmp.Or(w.Cluster, "unknown")
	return bulwark.Asset{ID: bulwark.AssetID("k8s:" + name), Kind: "cluster", Name: name}
}

// objectOf is the asset that a request to an API server is about, by the id that scans of the cluster give it: the object, the namespace
// of those that are asked for together, or the cluster.
func (w *Watcher) objectOf(v *audited) bulwark.Asset {
	whole := w.cluster()
	o := v.ObjectRef
	kind, name := kinds[o.Resource], o.Name
	for _, data := range []json.RawMessage{v.ResponseObject, v.RequestObject} {
		var object struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if o.Subresource != "" || len(data) == 0 || json.Unmarshal(data, &object) != nil || object.Kind == "Status" || strings.HasSuffix(object.Kind, "List") {
			continue
		}
		kind, name = cmp.Or(kind, object.Kind), cmp.Or(name, object.Metadata.Name)
	}
	if kind == "" || name == "" || !nameable(kind) || !nameable(name) {
		if kind, name = "Namespace", o.Namespace; !nameable(name) {
			return whole
		}
		o.Namespace, o.APIGroup = "", ""
	}
	if kind == "Namespace" {
		o.Namespace = "" // the log names it twice
	}
	if strings.Contains(o.APIGroup, ".") && !strings.HasSuffix(o.APIGroup, ".k8s.io") {
		kind += "." + o.APIGroup
	}
	a := bulwark.Asset{Kind: kind, Name: strings.Join(nonempty(o.Namespace, kind, name), "/"), Parent: whole.ID}
	if o.Namespace != "" {
		if !nameable(o.Namespace) {
			return whole
		}
		a.Labels = map[string]string{"namespace": o.Namespace}
	}
	a.ID = whole.ID + bulwark.AssetID("/"+a.Name)
	return a
}

// nameable tells whether a text may be a name in an id: requests that are refused may name anything.
func nameable(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return r == '/' || r == ' ' || r == unicode.ReplacementChar || !unicode.IsGraphic(r)
	})
}

// kinds are those of the resources of Kubernetes itself: where the log has no object, it names only these.
var kinds = map[string]string{
	"pods": "Pod", "services": "Service", "secrets": "Secret", "configmaps": "ConfigMap", "serviceaccounts": "ServiceAccount", "namespaces": "Namespace", "nodes": "Node",
	"deployments": "Deployment", "daemonsets": "DaemonSet", "statefulsets": "StatefulSet", "replicasets": "ReplicaSet", "replicationcontrollers": "ReplicationController",
	"jobs": "Job", "cronjobs": "CronJob", "podtemplates": "PodTemplate", "horizontalpodautoscalers": "HorizontalPodAutoscaler", "poddisruptionbudgets": "PodDisruptionBudget",
	"roles": "Role", "rolebindings": "RoleBinding", "clusterroles": "ClusterRole", "clusterrolebindings": "ClusterRoleBinding",
	"networkpolicies": "NetworkPolicy", "ingresses": "Ingress", "ingressclasses": "IngressClass", "endpoints": "Endpoints", "endpointslices": "EndpointSlice",
	"persistentvolumes": "PersistentVolume", "persistentvolumeclaims": "PersistentVolumeClaim", "storageclasses": "StorageClass", "volumeattachments": "VolumeAttachment",
	"validatingwebhookconfigurations": "ValidatingWebhookConfiguration", "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
	"validatingadmissionpolicies": "ValidatingAdmissionPolicy", "validatingadmissionpolicybindings": "ValidatingAdmissionPolicyBinding",
	"customresourcedefinitions": "CustomResourceDefinition", "apiservices": "APIService", "certificatesigningrequests": "CertificateSigningRequest",
	"priorityclasses": "PriorityClass", "runtimeclasses": "RuntimeClass", "resourcequotas": "ResourceQuota", "limitranges": "LimitRange", "leases": "Lease", "events": "Event",
}
