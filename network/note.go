package network

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"bulwark/kube"
)

// String is the problem after the file, line and object that it is of.
func (p Problem) String() string {
	if p.Object == nil {
		return p.Text
	}
	text := p.Object.ID() + ": " + p.Text
	switch l := p.Object.Place(p.Path...); {
	case l.File == "":
		return text
	case l.Line == 0:
		return l.File + ": " + text
	default:
		return fmt.Sprintf("%s:%d: %s", l.File, l.Line, text)
	}
}

// notes says what the answer depends on besides policies that are read: who enforces them, whom
// they do not hold for, and what else there is that could change it.
func (r *reader) notes(s *kube.Set) {
	r.unread(s)
	if len(r.policies) == 0 {
		return
	}
	r.plugins(s)
	r.onHosts()
	r.ties()
}

// ties names policies of administrators that have the priority of another: nobody knows which
// comes first.
func (r *reader) ties() {
	list := r.e.Policies
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if a.tier == b.tier && a.order == b.order && b.Group() == "policy.networking.k8s.io" && a.Group() == b.Group() && a.Object != b.Object && !a.subject.only(r.bits(b.subject)).empty() {
			r.lacks(b.Object, []any{"spec", "priority"}, "%s has the same: which of them comes first is not settled", a.ID())
		}
	}
}

// onHosts names the pods with the network of their node that policies select.
func (r *reader) onHosts() {
	told := 0
	var last *kube.Object
	for i, e := range r.e.Endpoints {
		if !e.Host || e.Workload.Object == last || !slices.ContainsFunc(r.policies, func(p *Policy) bool { return p.subject.has(i) }) {
			continue
		}
		last = e.Workload.Object
		if told++; told > maxProblems {
			continue
		}
		r.note(last, e.Workload.Path("hostNetwork"), "uses the network of its node: most network plugins hold no policy for it, and others see it as the node; "+
			"the answer treats it as any other pod")
	}
	if told > maxProblems {
		r.note(last, nil, "as do %d more that policies select", told-maxProblems)
	}
}

// others are kinds that could change an answer, by their group. Those that are read are not
// told of.
var others = []struct{ group, kinds, what string }{
	{"policy.networking.k8s.io", "ClusterNetworkPolicy", "policies"},
	{"cilium.io", "CiliumNetworkPolicy CiliumClusterwideNetworkPolicy", "policies"},
	{"cilium.io", "CiliumEgressGatewayPolicy CiliumLocalRedirectPolicy", "where connections go"},
	{"projectcalico.org", "NetworkPolicy GlobalNetworkPolicy", "policies"},
	{"crd.projectcalico.org", "NetworkPolicy GlobalNetworkPolicy", "policies"},
	{"projectcalico.org", "HostEndpoint", "what nodes let through"},
	{"crd.projectcalico.org", "HostEndpoint", "what nodes let through"},
	{"crd.antrea.io", "NetworkPolicy ClusterNetworkPolicy", "policies"},
	{"k8s.ovn.org", "EgressFirewall AdminPolicyBasedExternalRoute", "what reaches other networks"},
	{"k8s.ovn.org", "UserDefinedNetwork ClusterUserDefinedNetwork", "networks apart from that of the cluster"},
	{"network.openshift.io", "EgressNetworkPolicy NetNamespace", "what reaches other networks"},
	{"k8s.cni.cncf.io", "MultiNetworkPolicy NetworkAttachmentDefinition", "networks apart from that of the cluster"},
	{"security.istio.io", "AuthorizationPolicy", "policies of a mesh"},
	{"networking.istio.io", "Sidecar", "what a mesh lets pods call"},
	{"policy.linkerd.io", "AuthorizationPolicy ServerAuthorization Server", "policies of a mesh"},
	{"consul.hashicorp.com", "ServiceIntentions", "policies of a mesh"},
	{"kuma.io", "MeshTrafficPermission TrafficPermission", "policies of a mesh"},
	{"kubeovn.io", "SecurityGroup Subnet", "what subnets let through"},
	{"crd.nsx.vmware.com", "SecurityPolicy", "policies"},
	{"nsx.vmware.com", "SecurityPolicy", "policies"},
	{"vpcresources.k8s.aws", "SecurityGroupPolicy", "what pods' security groups let through"},
	{"networking.k8s.aws", "ApplicationNetworkPolicy ClusterNetworkPolicy", "policies"},
	{"networking.gke.io", "FQDNNetworkPolicy", "policies"},
}

// unread tells of objects that could change the answer, once for each kind.
func (r *reader) unread(s *kube.Set) {
	for _, other := range others {
		for kind := range strings.FieldsSeq(other.kinds) {
			if slices.ContainsFunc(kinds, func(k policyKind) bool { return k.group == other.group && k.kind == kind }) {
				continue
			}
			if list := s.Kind(other.group, kind); len(list) > 0 {
				r.note(list[0], nil, "the answer is without the %d of kind %s (%s): %s, which could change it", len(list), kind, other.group, other.what)
			}
		}
	}
}

// plugins tells when the network plugin that is there is known not to enforce policies, and
// none is beside it that does.
func (r *reader) plugins(s *kube.Set) {
	for _, o := range s.Kind("", "ConfigMap") {
		if o.Name == "cilium-config" && o.Root.Get("data", "enable-policy").Text() == "never" {
			r.note(o, []any{"data", "enable-policy"}, "Cilium is told never to enforce policies: what the answer holds to be dropped is open")
		}
	}
	var lax *kube.Workload
	var why string
	for _, w := range s.Workloads() {
		if w.Kind != "DaemonSet" {
			continue
		}
		if enforces(w) {
			return
		}
		if text := unenforced(w); text != "" && lax == nil {
			lax, why = w, text
		}
	}
	if lax != nil {
		r.note(lax.Object, nil, "%s: what the answer holds to be dropped is open", why)
	}
}

// enforcing are names in images of network plugins that enforce policies.
var enforcing = []string{"calico/node", "calico-node", "mirrored-calico-node", "cilium/cilium", "antrea-agent", "antrea/antrea", "weave-npc", "kube-router", "azure-npm", "kube-network-policies", "kube-ovn", "ovn-kubernetes", "ovnkube", "canal", "romana"}

func enforces(w *kube.Workload) bool {
	return slices.ContainsFunc(w.Containers, func(c kube.Container) bool {
		return slices.ContainsFunc(enforcing, func(name string) bool { return strings.Contains(c.Image, name) }) && !slices.Contains(c.Args, "--run-firewall=false")
	})
}

// unenforced says why the network plugin that a DaemonSet runs enforces no policy; "" when it
// is none, or may.
func unenforced(w *kube.Workload) string {
	image := func(name string) *kube.Container {
		i := slices.IndexFunc(w.Containers, func(c kube.Container) bool { return strings.Contains(c.Image, name) && !c.Init })
		if i < 0 {
			return nil
		}
		return &w.Containers[i]
	}
	agent := cmp.Or(image("aws-network-policy-agent"), image("eks-nodeagent"))
	switch {
	case image("flannel") != nil:
		return "Flannel alone enforces no policy"
	case image("kindnetd") != nil && before2024(image("kindnetd").Image):
		return "this kindnet (before August 2024) enforces no policy"
	case image("amazon-k8s-cni") != nil && agent == nil:
		return "the Amazon VPC plugin without its network policy agent enforces no policy"
	case agent != nil && slices.Contains(agent.Args, "--enable-network-policy=false"):
		return "the Amazon VPC plugin's network policy agent is off, and nothing enforces policies"
	}
	return ""
}

// before2024 tells whether the tag of an image (v20240202-8f1494ea) is a day before kindnet
// enforced policies.
func before2024(image string) bool {
	_, tag, ok := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":v")
	day, _, _ := strings.Cut(tag, "-")
	day, _, _ = strings.Cut(day, "@")
	return ok && len(day) == len("20240813") && day < "20240813"
}
