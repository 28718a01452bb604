package exposure

import (
	"net/netip"
	"slices"
	"strings"

	"bulwark/check/internal/posture"
	"bulwark/kube"
)

func externalName(h *posture.Hits, o *kube.Object) {
	if o.Root.Get("spec", "type").Text() != "ExternalName" {
		return
	}
	name := strings.TrimSuffix(strings.ToLower(o.Root.Get("spec", "externalName").Text()), ".")
	hit := posture.Hit{Object: o, Path: []any{"spec", "externalName"}, Evidence: "externalName: " + name}
	addr, err := netip.ParseAddr(carried(name))
	switch {
	case isMetadata(name), isMetadata(carried(name)), name == "localhost", err == nil && (addr.IsLoopback() || addr.IsLinkLocalUnicast()), strings.HasPrefix(name, "kubernetes.default"):
		h.Add(hit)
	case strings.HasSuffix(name, ".svc.cluster.local") || strings.HasSuffix(name, ".svc"):
		if parts := strings.Split(name, "."); len(parts) > 2 && parts[1] != o.Namespace && !(h.Set.Cluster == nil && !o.Root.Get("metadata", "namespace").Exists()) {
			hit.Severity = low
			h.Add(hit)
		}
	}
}

// carried is the address that a name of a service such as nip.io stands for; else the name.
func carried(name string) string {
	for _, service := range []string{".nip.io", ".sslip.io", ".xip.io"} {
		rest, ok := strings.CutSuffix(name, service)
		if !ok {
			continue
		}
		parts := strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '-' })
		if len(parts) >= 4 {
			return strings.Join(parts[len(parts)-4:], ".")
		}
	}
	return name
}

// isMetadata tells whether a host is a cloud's metadata service.
func isMetadata(host string) bool {
	switch host {
	case "169.254.169.254", "metadata.google.internal", "metadata", "fd00:ec2::254", "169.254.170.2", "instance-data", "100.100.100.200":
		return true
	}
	return false
}

func everybodyAllowed(h *posture.Hits, o *kube.Object) {
	for i, r := range o.Root.Get("spec", "loadBalancerSourceRanges").Items() {
		if all(r.Text()) {
			h.Add(posture.Hit{Object: o, Path: []any{"spec", "loadBalancerSourceRanges", i}, Evidence: "loadBalancerSourceRanges: " + r.Text()})
		}
	}
	for name, value := range annotations(o) {
		if !strings.HasSuffix(name, "whitelist-source-range") && !strings.HasSuffix(name, "allowlist-source-range") && !strings.HasSuffix(name, "load-balancer-source-ranges") && name != "alb.ingress.kubernetes.io/inbound-cidrs" {
			continue
		}
		for part := range strings.SplitSeq(value, ",") {
			if all(strings.TrimSpace(part)) {
				h.Add(posture.Hit{Object: o, Path: []any{"metadata", "annotations", name}, Evidence: name + " has " + strings.TrimSpace(part)})
			}
		}
	}
}

func all(cidr string) bool { return cidr == "0.0.0.0/0" || cidr == "::/0" }

// otherName finds names of the cluster that lead to the metadata of the cloud, to the proxy
// itself or to another namespace.
func otherName(h *posture.Hits, o *kube.Object) {
	switch o.Kind {
	case "Service":
		externalName(h, o)
	case "Endpoints":
		for i, s := range o.Root.Get("subsets").Items() {
			for j, a := range s.Get("addresses").Items() {
				leadsInside(h, o, a.Get("ip").Text(), "subsets", i, "addresses", j, "ip")
			}
		}
	case "EndpointSlice":
		for i, e := range o.Root.Get("endpoints").Items() {
			for j, a := range e.Get("addresses").Items() {
				leadsInside(h, o, a.Text(), "endpoints", i, "addresses", j)
			}
		}
	case "ServiceEntry":
		if slices.ContainsFunc(o.Root.Get("spec", "hosts").Strings(), isMetadata) {
			return // it says what it is
		}
		for i, e := range o.Root.Get("spec", "endpoints").Items() {
			leadsInside(h, o, e.Get("address").Text(), "spec", "endpoints", i, "address")
		}
	}
}

func leadsInside(h *posture.Hits, o *kube.Object, address string, path ...any) {
	address = carried(strings.ToLower(address))
	addr, err := netip.ParseAddr(address)
	if isMetadata(address) || address == "localhost" || err == nil && (addr.IsLoopback() || addr.IsLinkLocalUnicast()) {
		h.Add(posture.Hit{Object: o, Path: path, Evidence: "it leads to " + address})
	}
}
