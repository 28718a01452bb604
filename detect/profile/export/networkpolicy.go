package export

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"bulwark/detect/profile"
)

// NetworkPolicy allows what was seen: clients and destinations by their pods where these are known, else by address.
func NetworkPolicy(p *profile.Profile) (string, error) {
	var b strings.Builder
	b.WriteString(comment(head(p, "NetworkPolicy")))
	fmt.Fprintf(&b, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: %s\n", quote("bulwark-"+Slug(p)))
	if p.Namespace != "" {
		fmt.Fprintf(&b, "  namespace: %s\n", quote(p.Namespace))
	}
	b.WriteString("spec:\n  podSelector:\n    matchLabels:\n")
	if len(p.Labels) > 0 {
		writeLabels(&b, "      ", p.Labels)
	} else {
		fmt.Fprintf(&b, "      # The labels of the pods were not seen: say which pods run the image.\n      app: %s\n", quote(Slug(p)))
	}
	b.WriteString("  policyTypes: [Ingress, Egress]\n")
	ingress(&b, p)
	egress(&b, p)
	return b.String(), nil
}

func writeLabels(b *strings.Builder, indent string, labels map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(b, "%s%s: %s\n", indent, quote(k), quote(labels[k]))
	}
}

// peer writes who may be spoken with; indented as an entry of "from" or "to".
func peer(b *strings.Builder, net string, pod *profile.Pod) {
	if pod != nil && len(pod.Labels) > 0 {
		fmt.Fprintf(b, "    - namespaceSelector:\n        matchLabels:\n          kubernetes.io/metadata.name: %s\n      podSelector:\n        matchLabels:\n", quote(pod.Namespace))
		writeLabels(b, "          ", pod.Labels)
		return
	}
	n, ok := profile.NetOf(net)
	if !ok {
		n = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	fmt.Fprintf(b, "    - ipBlock:\n        cidr: %s\n", quote(n.String()))
}

func port(b *strings.Builder, proto string, n uint16) {
	fmt.Fprintf(b, "    - protocol: %s\n      port: %d\n", strings.ToUpper(proto), n)
}

var spoken = map[string]bool{"tcp": true, "udp": true, "sctp": true}

func ingress(b *strings.Builder, p *profile.Profile) {
	var body strings.Builder
	served := map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(p.Peers)) {
		d := p.Peers[k]
		if !spoken[d.Proto] {
			continue
		}
		served[fmt.Sprintf("%s %d", d.Proto, d.Port)] = true
		fmt.Fprintf(&body, "  # %s\n  - from:\n", clean(d.String()))
		peer(&body, d.Net, d.Pod)
		body.WriteString("    ports:\n")
		port(&body, d.Proto, d.Port)
	}
	for _, k := range slices.Sorted(maps.Keys(p.Listeners)) {
		l := p.Listeners[k]
		if l.Local || l.Port == 0 || !spoken[l.Proto] || served[fmt.Sprintf("%s %d", l.Proto, l.Port)] {
			continue
		}
		fmt.Fprintf(&body, "  # %s\n  # Nobody was seen to connect to it: pods of the same namespace may.\n  - from:\n    - podSelector: {}\n    ports:\n", clean(l.String()))
		port(&body, l.Proto, l.Port)
	}
	list(b, "ingress", body.String())
}

func list(b *strings.Builder, name, body string) {
	if body == "" {
		fmt.Fprintf(b, "  %s: [] # none was seen\n", name)
		return
	}
	fmt.Fprintf(b, "  %s:\n%s", name, body)
}

func egress(b *strings.Builder, p *profile.Profile) {
	var body strings.Builder
	dns := ""
	for _, k := range slices.Sorted(maps.Keys(p.Destinations)) {
		d := p.Destinations[k]
		if !spoken[d.Proto] {
			continue
		}
		if d.Port == 53 && dns == "" {
			dns = d.String()
		}
		fmt.Fprintf(&body, "  # %s\n", clean(d.String()))
		if d.Name != "" && d.Pod == nil {
			body.WriteString("  # The address is one of the name's: others need ipBlocks of their own.\n")
		}
		body.WriteString("  - to:\n")
		peer(&body, d.Net, d.Pod)
		body.WriteString("    ports:\n")
		port(&body, d.Proto, d.Port)
	}
	if dns == "" && len(p.Names) > 0 {
		dns = p.Names[slices.Min(slices.Collect(maps.Keys(p.Names)))].String()
	}
	if dns != "" {
		fmt.Fprintf(&body, "  # The cluster's name servers, by their usual labels: %s\n  - to:\n", clean(dns))
		peer(&body, "", &profile.Pod{Namespace: "kube-system", Labels: map[string]string{"k8s-app": "kube-dns"}})
		body.WriteString("    ports:\n")
		port(&body, "udp", 53)
		port(&body, "tcp", 53)
	}
	list(b, "egress", body.String())
}
