package reason

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"bulwark/network"
)

// end is the far end of a connection.
type end struct {
	endpoint int // -1: addresses
	name     string
	internet bool
}

// ruleText writes a rule for a policy that allows a connection; nil when that is not plain.
func (x *answers) ruleText(policy *network.Policy, d network.Direction, other end, p probe) []string {
	if other.endpoint >= 0 && (x.e.Endpoints[other.endpoint].Outside || x.e.Endpoints[other.endpoint].Host) {
		return nil // no labels find it
	}
	field := map[network.Direction]string{network.Ingress: "from", network.Egress: "to"}[d]
	switch {
	case policy.Is("networking.k8s.io", "NetworkPolicy"):
		list := append([]string{"- " + field + ":"}, x.peerText(other)...)
		return append(list, fmt.Sprintf("  ports: [{protocol: %s, port: %d}]", p.proto, p.port))
	case policy.Group() == "cilium.io":
		return append(x.ciliumText(field, other), fmt.Sprintf("  toPorts: [{ports: [{port: \"%d\", protocol: %s}]}]", p.port, p.proto))
	case strings.HasSuffix(policy.Group(), "projectcalico.org"):
		return x.calicoText(d, other, p)
	}
	return nil
}

// labelsOf are those that select an endpoint, as YAML; namespace likewise.
func (x *answers) labelsOf(endpoint int) (pods [][2]string, namespace string) {
	e := x.e.Endpoints[endpoint]
	labels := map[string]string{}
	if e.Workload != nil {
		for k, v := range e.Workload.Root.Get("spec", "selector", "matchLabels").Fields() {
			labels[k] = v.Text()
		}
	}
	if len(labels) == 0 {
		for k, v := range e.Labels {
			if k != "pod-template-hash" && k != "controller-revision-hash" {
				labels[k] = v
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		pods = append(pods, [2]string{k, labels[k]})
	}
	return pods, e.Namespace
}

// fieldsText writes labels as the fields of a map.
func fieldsText(labels [][2]string) string {
	list := make([]string, len(labels))
	for i, l := range labels {
		list[i] = scalar(l[0]) + ": " + scalar(l[1])
	}
	return strings.Join(list, ", ")
}

// peerText is an end as a NetworkPolicy names it.
func (x *answers) peerText(other end) []string {
	if other.endpoint < 0 {
		var list []string
		for _, text := range other.addresses() {
			list = append(list, "    - ipBlock: "+text)
		}
		return list
	}
	labels, space := x.labelsOf(other.endpoint)
	selector := "podSelector: {}"
	if len(labels) > 0 {
		selector = "podSelector: {matchLabels: {" + fieldsText(labels) + "}}"
	}
	return []string{"    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: " + scalar(space) + "}}", "      " + selector}
}

// ciliumText is an end as a policy of Cilium's names it.
func (x *answers) ciliumText(field string, other end) []string {
	if other.endpoint < 0 {
		return []string{"- " + field + "CIDRSet: [" + strings.Join(other.addresses(), ", ") + "]"}
	}
	labels, space := x.labelsOf(other.endpoint)
	labels = append([][2]string{{"k8s:io.kubernetes.pod.namespace", space}}, labels...)
	return []string{"- " + field + "Endpoints: [{matchLabels: {" + fieldsText(labels) + "}}]"}
}

// calicoText is a rule of a policy of Calico's.
func (x *answers) calicoText(d network.Direction, other end, p probe) []string {
	var who []string
	switch {
	case other.endpoint < 0 && other.internet:
		return nil
	case other.endpoint < 0:
		who = []string{"nets: [" + scalar(other.name) + "]"}
	default:
		labels, space := x.labelsOf(other.endpoint)
		var tests []string
		for _, l := range labels {
			tests = append(tests, l[0]+" == '"+l[1]+"'")
		}
		who = []string{"namespaceSelector: " + scalar("projectcalico.org/name == '"+space+"'")}
		if len(tests) > 0 {
			who = append(who, "selector: "+scalar(strings.Join(tests, " && ")))
		}
	}
	list := []string{"- action: Allow", fmt.Sprintf("  protocol: %s", p.proto)}
	ports := fmt.Sprintf("ports: [%d]", p.port)
	if d == network.Ingress {
		return append(list, "  source: {"+strings.Join(who, ", ")+"}", "  destination: {"+ports+"}")
	}
	return append(list, "  destination: {"+strings.Join(append(who, ports), ", ")+"}")
}

// addresses are those of an end as {cidr, except}.
func (o end) addresses() []string {
	if o.internet {
		return []string{"{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16]}", `{cidr: "2000::/3"}`}
	}
	return []string{"{cidr: " + scalar(o.name) + "}"}
}

// scalar writes a value of YAML in one line.
func scalar(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= 0x7f || r < '-' || strings.ContainsRune(":;<=>?@[\\]^`{|}~", r)
	})
	if plain && !strings.ContainsAny(s[:1], "-.0123456789") && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	return fmt.Sprintf("%q", s)
}
