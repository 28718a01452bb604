package kube

import (
	"slices"
	"strings"
	"sync"
)

// Object is one Kubernetes object, as somebody wrote it or a cluster holds it.
type Object struct {
	APIVersion string // "apps/v1"
	Kind       string
	// Namespace is where the object lives: "default" when a manifest of a namespaced kind
	// names none, "" for what belongs to the whole cluster.
	Namespace string
	Name      string // its name, or the start of it that the server completes (generateName)
	Labels    map[string]string
	// Annotations are the target's: they never excuse anything unless the user says so.
	Annotations map[string]string
	Origin      Origin
	Root        *Node     // the whole object
	Problems    []Problem // what is wrong with its document

	mu    sync.Mutex
	typed any
}

// Origin is where an object was written.
type Origin struct {
	File string // relative to the target, slash separated; "" for an object of a cluster
	Line int    // where it begins; of a rendered object, in its template; 0 when that is not known
	// Chart is the folder of the chart that the object was rendered from, File then its
	// template; "" for none. Lines of Root's nodes are those of the rendered text.
	Chart string
	// Release tells which values made it, when a chart is rendered in several ways.
	Release string
	// Overlay is the folder of the kustomization that the object was built by; "" for none.
	Overlay string
	// Locate, when it is set, gives the file and line of a field of a rendered object: for a
	// chart those of the template, with the path in the values that sets it, if one does.
	// For a kustomization those of the base or patch that says so.
	Locate func(path []any) (place Location, ok bool)
}

// Location is where a field is written.
type Location struct {
	File   string
	Line   int
	Values []string // the path in a chart's values that sets the field; nil: the template does
}

// NewObject makes an object of a document. ok is false when it is none: apiVersion, kind
// or metadata are missing.
func NewObject(root *Node, from Origin) (o *Object, ok bool) {
	if root.Form() != Map || root.Get("kind").Form() != String || root.Get("apiVersion").Form() != String {
		return nil, false
	}
	meta := root.Get("metadata")
	o = &Object{
		APIVersion: root.Get("apiVersion").Text(), Kind: root.Get("kind").Text(),
		Namespace: meta.Get("namespace").Text(), Name: meta.Get("name").Text(),
		Labels: texts(meta.Get("labels")), Annotations: texts(meta.Get("annotations")),
		Origin: from, Root: root,
	}
	if o.Name == "" {
		o.Name = meta.Get("generateName").Text()
	}
	switch {
	case !o.Namespaced():
		o.Namespace = ""
	case o.Namespace == "":
		o.Namespace = "default"
	}
	if o.Origin.Line == 0 && o.Origin.File != "" && o.Origin.Chart == "" {
		o.Origin.Line = root.Line()
	}
	return o, true
}

func texts(n *Node) map[string]string {
	if n.Len() == 0 {
		return nil
	}
	m := make(map[string]string, n.Len())
	for name, v := range n.Fields() {
		m[name] = v.Text()
	}
	return m
}

// Group is the API group: "" for the core.
func (o *Object) Group() string {
	group, _, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// Is tells whether the object is of a kind of a group: Is("rbac.authorization.k8s.io", "Role").
func (o *Object) Is(group, kind string) bool { return o.Kind == kind && o.Group() == group }

// ID names the object within its target: "default/Deployment/web", "ClusterRole/admin". Kinds
// of custom resources that are called as Kubernetes' own have their group with them:
// "default/Service.serving.knative.dev/web".
func (o *Object) ID() string {
	kind := o.Kind
	if g := o.Group(); !core(g) {
		kind += "." + g
	}
	if o.Name == "" && o.Namespace == "" { // a component's configuration: there is one
		return kind
	}
	if o.Namespace == "" {
		return kind + "/" + o.Name
	}
	return o.Namespace + "/" + kind + "/" + o.Name
}

// core tells whether a group is Kubernetes' own.
func core(group string) bool {
	return !strings.Contains(group, ".") || strings.HasSuffix(group, ".k8s.io")
}

// Namespaced tells whether objects of this kind live in a namespace. Of most custom resources
// it is not known: one that names a namespace has it.
func (o *Object) Namespaced() bool {
	group := o.Group()
	if core(group) {
		return !clusterWide[o.Kind]
	}
	return slices.Contains(inNamespace[group], o.Kind) || o.Root.Get("metadata", "namespace").Exists()
}

// inNamespace are custom resources that are known to live in a namespace, by their group.
var inNamespace = map[string][]string{
	"argoproj.io":           {"Rollout"},
	"cilium.io":             {"CiliumNetworkPolicy"},
	"crd.projectcalico.org": {"NetworkPolicy", "NetworkSet"},
	"kubevirt.io":           {"VirtualMachine", "VirtualMachineInstance"},
	"networking.istio.io":   {"DestinationRule", "Gateway", "ServiceEntry", "Sidecar", "VirtualService"},
	"projectcalico.org":     {"NetworkPolicy", "NetworkSet"},
	"projectcontour.io":     {"HTTPProxy"},
	"route.openshift.io":    {"Route"},
	"security.istio.io":     {"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"},
	"traefik.io":            {"IngressRoute", "IngressRouteTCP", "IngressRouteUDP"},
}

var clusterWide = map[string]bool{
	"APIService": true, "CertificateSigningRequest": true, "ClusterRole": true, "ClusterRoleBinding": true, "ClusterTrustBundle": true,
	"ComponentStatus": true, "CSIDriver": true, "CSINode": true, "CustomResourceDefinition": true, "DeviceClass": true,
	"FlowSchema": true, "GatewayClass": true, "IngressClass": true, "IPAddress": true, "MutatingAdmissionPolicy": true, "MutatingAdmissionPolicyBinding": true,
	"MutatingWebhookConfiguration": true, "Namespace": true, "Node": true, "PersistentVolume": true, "PodSecurityPolicy": true, "PriorityClass": true,
	"PriorityLevelConfiguration": true, "ResourceSlice": true, "RuntimeClass": true, "SelfSubjectReview": true, "ServiceCIDR": true, "StorageClass": true,
	"StorageVersion": true, "ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true, "ValidatingWebhookConfiguration": true,
	"VolumeAttachment": true, "VolumeAttributesClass": true, "VolumeSnapshotClass": true, "VolumeSnapshotContent": true, "AdminNetworkPolicy": true, "BaselineAdminNetworkPolicy": true, "ClusterNetworkPolicy": true,
	// Files that components read.
	"AdmissionConfiguration": true, "AuthenticationConfiguration": true, "AuthorizationConfiguration": true, "ClusterConfiguration": true, "EncryptionConfiguration": true,
	"InitConfiguration": true, "JoinConfiguration": true, "KubeletConfiguration": true, "KubeProxyConfiguration": true, "KubeSchedulerConfiguration": true, "PodSecurityConfiguration": true,
}

// As decodes the object as a type of the Kubernetes API, once: rbacv1.Role of a Role. What
// does not fit is left out; [Node.Misfits] tells of it. The result is shared, and not to be
// changed.
func As[T any](o *Object) *T {
	o.mu.Lock()
	defer o.mu.Unlock()
	if v, ok := o.typed.(*T); ok {
		return v
	}
	v := new(T)
	o.Root.Decode(v, "")
	o.typed = v
	return v
}

// Place is the file and line of the field at path, of names (string) and positions (int):
// that which says so, or the nearest around it.
func (o *Object) Place(path ...any) Location {
	if o.Origin.Locate != nil {
		if l, ok := o.Origin.Locate(path); ok {
			return l
		}
	}
	if o.Origin.File == "" {
		return Location{}
	}
	if o.Origin.Chart != "" {
		return Location{File: o.Origin.File, Line: o.Origin.Line}
	}
	return Location{File: o.Origin.File, Line: o.Root.LineOf(path...)}
}
