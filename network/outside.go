package network

import (
	"net/netip"
	"slices"
	"strings"

	"bulwark/kube"
)

// private are the addresses that no router of the Internet knows.
var private = together([]Block{
	BlockOf(netip.MustParsePrefix("10.0.0.0/8")), BlockOf(netip.MustParsePrefix("172.16.0.0/12")), BlockOf(netip.MustParsePrefix("192.168.0.0/16")),
	BlockOf(netip.MustParsePrefix("100.64.0.0/10")), BlockOf(netip.MustParsePrefix("169.254.0.0/16")), BlockOf(netip.MustParsePrefix("127.0.0.0/8")),
	BlockOf(netip.MustParsePrefix("fc00::/7")), BlockOf(netip.MustParsePrefix("fe80::/10")), BlockOf(netip.MustParsePrefix("::/127")),
})

// everywhere is all addresses.
var everywhere = []Block{everyV4, everyV6}

// isPublic tells whether the Internet may know an address.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !slices.ContainsFunc(private, func(b Block) bool { return b.Contains(a) })
}

// hasPublic tells whether a block has an address that the Internet knows.
func hasPublic(list []Block) bool {
	return slices.ContainsFunc(list, func(b Block) bool { return len(less(b, private)) > 0 })
}

// both gives the addresses that are in one of each list.
func both(a, b []Block) []Block {
	var list []Block
	for _, x := range a {
		for _, y := range b {
			if x.First.BitLen() != y.First.BitLen() || x.Last.Less(y.First) || y.Last.Less(x.First) {
				continue
			}
			c := x
			if c.First.Less(y.First) {
				c.First = y.First
			}
			if y.Last.Less(c.Last) {
				c.Last = y.Last
			}
			list = append(list, c)
		}
	}
	return together(list)
}

// internalAnnotations have a cloud make a load balancer for the inside, by their value in
// lower case; "*" is any but "" and "false".
var internalAnnotations = map[string]string{
	"service.beta.kubernetes.io/aws-load-balancer-internal":              "*",
	"service.beta.kubernetes.io/aws-load-balancer-scheme":                "internal",
	"alb.ingress.kubernetes.io/scheme":                                   "internal",
	"service.beta.kubernetes.io/azure-load-balancer-internal":            "*",
	"appgw.ingress.kubernetes.io/use-private-ip":                         "*",
	"networking.gke.io/load-balancer-type":                               "internal",
	"cloud.google.com/load-balancer-type":                                "internal",
	"service.beta.kubernetes.io/openstack-internal-load-balancer":        "*",
	"service.beta.kubernetes.io/oci-load-balancer-internal":              "*",
	"oci-network-load-balancer.oraclecloud.com/internal":                 "*",
	"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type":     "private",
	"service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet",
	"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid":        "*",
	"service.beta.kubernetes.io/cce-load-balancer-internal-vpc":          "*",
	"service.beta.kubernetes.io/do-loadbalancer-network":                 "internal",
	"service.beta.kubernetes.io/scw-loadbalancer-private":                "*",
	"load-balancer.hetzner.cloud/disable-public-network":                 "*",
	"networking.istio.io/service-type":                                   "clusterip",
}

// internalNotes tells whether annotations make what an object asks for one for the inside.
func internalNotes(annotations map[string]string) bool {
	for name, value := range annotations {
		want, ok := internalAnnotations[name]
		value = strings.ToLower(strings.TrimSpace(value))
		if ok && (want == value || want == "*" && value != "" && value != "false") {
			return true
		}
	}
	return false
}

// internalEdge tells whether an object is served to the inside alone.
func internalEdge(o *kube.Object) bool { return internalNotes(o.Annotations) || privateStatus(o) }

// internalClass tells it of a class of Ingresses, or its controller.
func internalClass(class string, o *kube.Object) bool {
	class = strings.ToLower(class)
	switch {
	case strings.Contains(class, "alb"): // which is for the inside unless it is told otherwise
		return o.Annotations["alb.ingress.kubernetes.io/scheme"] != "internet-facing" && o.Root.Get("status", "loadBalancer", "ingress").Len() == 0
	case strings.Contains(class, "tailscale"):
		return o.Annotations["tailscale.com/funnel"] != "true"
	}
	return strings.Contains(class, "internal") || strings.Contains(class, "private")
}

// internalBalancer tells it of a Service's load balancer.
func internalBalancer(o *kube.Object) bool {
	switch class := o.Root.Get("spec", "loadBalancerClass").Text(); {
	case class == "service.k8s.aws/nlb":
		if o.Annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"] != "internet-facing" {
			return true
		}
	case class == "tailscale" || strings.Contains(class, "internal"):
		return true
	}
	return internalEdge(o)
}

// privateStatus tells whether a status has addresses, none of which the Internet knows.
func privateStatus(o *kube.Object) bool {
	n := 0
	for _, ingress := range o.Root.Get("status", "loadBalancer", "ingress").Items() {
		if host := ingress.Get("hostname").Text(); host != "" && !strings.HasPrefix(host, "internal-") {
			return false
		}
		a, err := netip.ParseAddr(ingress.Get("ip").Text())
		if err == nil && isPublic(a) {
			return false
		}
		n++
	}
	return n > 0
}

// sourceAnnotations list the addresses that an edge lets in.
var sourceAnnotations = []string{
	"service.beta.kubernetes.io/load-balancer-source-ranges", "service.beta.kubernetes.io/azure-allowed-ip-ranges",
	"nginx.ingress.kubernetes.io/whitelist-source-range", "nginx.ingress.kubernetes.io/allowlist-source-range", "ingress.kubernetes.io/whitelist-source-range",
	"alb.ingress.kubernetes.io/inbound-cidrs", "haproxy.org/allow-list", "haproxy.org/whitelist", "haproxy-ingress.github.io/allowlist-source-range",
	"haproxy.router.openshift.io/ip_whitelist", "haproxy.router.openshift.io/ip_allowlist",
}

// allowed gives the addresses that annotations let in; nil when they name none.
func (r *reader) allowed(o *kube.Object) []Block {
	var list []Block
	for _, name := range sourceAnnotations {
		for _, text := range strings.FieldsFunc(o.Annotations[name], func(c rune) bool { return c == ',' || c == ' ' || c == '\n' }) {
			if b, ok := parseBlock(text); ok {
				list = append(list, b)
				continue
			}
			r.problem(o, []any{"metadata", "annotations", name}, "invalid CIDR %q", text)
		}
	}
	return together(list)
}

// parseBlock reads a CIDR or an address.
func parseBlock(text string) (Block, bool) {
	if p, err := netip.ParsePrefix(strings.TrimSpace(text)); err == nil {
		return BlockOf(p), true
	}
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	return Block{a, a}, err == nil && a.Zone() == ""
}

// logins says what annotations of an Ingress ask of whoever comes.
func logins(o *kube.Object) []string {
	var list []string
	for _, word := range []string{"auth-url", "auth-type", "auth-tls-secret", "auth-secret", "alb.ingress.kubernetes.io/auth-type", "oauth2", "router.middlewares"} {
		for name := range o.Annotations {
			if strings.HasSuffix(name, word) {
				list = append(list, "the controller asks who comes ("+name+")")
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func unique(list []int) []int {
	slices.Sort(list)
	return slices.Compact(list)
}

// Leaving tells of each endpoint whether policies let it reach an address that the Internet
// knows, on any port.
func (e *Engine) Leaving() []bool {
	public := make([]int, 1, len(e.blocks[Egress])+1) // how many of the blocks before one
	for i, b := range e.blocks[Egress] {
		public = append(public, public[i])
		if hasPublic([]Block{b}) {
			public[i+1]++
		}
	}
	leads := func(x run) bool {
		return public[min(int(x.end), len(public)-1)] > public[min(int(x.first), len(public)-1)]
	}
	known := map[*cell]bool{}
	list := make([]bool, len(e.Endpoints))
	for i, r := range e.rowOf[Egress] {
		if e.Endpoints[i].Host {
			list[i] = true
			continue
		}
		if len(r) == 0 {
			continue
		}
		leaves, ok := known[&r[0]]
		if !ok {
			leaves = slices.ContainsFunc(r, func(c cell) bool { return slices.ContainsFunc(c.outside, leads) })
			known[&r[0]] = leaves
		}
		list[i] = leaves
	}
	return list
}
