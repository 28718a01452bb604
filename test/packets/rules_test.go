package packets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ruleset writes policies as rules of nftables for the router: for each pod a chain of each
// tier and direction. What a chain returns from is let through by its end; the other end is
// asked next.
func ruleset(all []*pod, policies []*policy) string {
	policies = slices.Clone(policies)
	slices.SortStableFunc(policies, func(a, b *policy) int { return cmp.Or(a.tier-b.tier, a.order-b.order) })
	var chains, base strings.Builder
	base.WriteString(" chain forward {\n  type filter hook forward priority 0; policy accept;\n  ct state established,related accept\n")
	for _, d := range []int{1, 0} { // egress first
		for i, p := range all {
			if p.outside {
				continue
			}
			field := [2]string{"daddr", "saddr"}[d]
			fmt.Fprintf(&base, "  ip %s %s jump p%d_%d_0\n", field, p.address, i, d)
			for tier := range 3 {
				fmt.Fprintf(&chains, " chain p%d_%d_%d {\n%s }\n", i, d, tier, tierRules(all, policies, p, i, d, tier))
			}
		}
	}
	base.WriteString(" }\n")
	return "table ip bulwark {\n" + declared(len(all)) + chains.String() + base.String() + "}\n"
}

// declared names the chains, since those that lead on stand before where they lead.
func declared(n int) string {
	var b strings.Builder
	for i := range n {
		for d := range 2 {
			for tier := range 3 {
				fmt.Fprintf(&b, " chain p%d_%d_%d { }\n", i, d, tier)
			}
		}
	}
	return b.String()
}

// tierRules are those of one tier for one pod and direction.
func tierRules(all []*pod, policies []*policy, p *pod, i, d, tier int) string {
	var b strings.Builder
	isolated := false
	for _, x := range policies {
		if x.tier != tier || !x.subject(p) {
			continue
		}
		isolated = isolated || x.isolates[d]
		for _, r := range x.rules[d] {
			for _, other := range all {
				if other == p || !r.peers(other) {
					continue
				}
				to, field := other, "daddr"
				if d == 0 {
					to, field = p, "saddr"
				}
				for _, port := range ports {
					if r.ports(to, port) {
						verdict := map[string]string{"Allow": "return", "Deny": refusal[port.proto], "Pass": fmt.Sprintf("goto p%d_%d_1", i, d)}[r.action]
						fmt.Fprintf(&b, "  ip %s %s %s dport %d %s\n", field, other.address, port.proto, port.number, verdict)
					}
				}
			}
		}
	}
	switch {
	case isolated:
		b.WriteString("  meta l4proto tcp reject with tcp reset\n  reject\n")
	case tier < 2:
		fmt.Fprintf(&b, "  goto p%d_%d_%d\n", i, d, tier+1)
	}
	return b.String()
}

// refusal answers at once, so that no probe waits in vain.
var refusal = map[string]string{"tcp": "reject with tcp reset", "udp": "reject"}
