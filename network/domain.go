package network

import (
	"slices"
)

// settleDomains makes a peer of each domain that rules of a direction name, and gives for
// each rule its own. Which addresses a domain has is not known: rules of addresses speak of
// it when they speak of all.
func (r *reader) settleDomains(d Direction) map[*rule][]string {
	var byRule map[*rule][]string
	for _, c := range r.cidrs[d] {
		if c.name == "" {
			continue
		}
		if byRule == nil {
			byRule = map[*rule][]string{}
		}
		to := &c.policy.rules[d][c.rule]
		byRule[to] = append(byRule[to], c.name)
		r.e.domains[d] = append(r.e.domains[d], c.name)
	}
	slices.Sort(r.e.domains[d])
	r.e.domains[d] = slices.Compact(r.e.domains[d])
	return byRule
}

// addDomains adds to the peers of a rule the domains that it names, or all when it speaks of
// all addresses.
func (e *Engine) addDomains(s set, d Direction, names []string, blocks []Block) {
	first := len(e.blocks[d])
	if slices.Contains(blocks, everyV4) {
		s.addRange(first, first+len(e.domains[d]))
		return
	}
	for _, name := range names {
		if i, ok := slices.BinarySearch(e.domains[d], name); ok {
			s.add(first + i)
		}
	}
}

// Domains are the names of peers that egress rules speak of: "api.example.com",
// "*.example.com". Which addresses they have is not known.
func (e *Engine) Domains() []string { return e.domains[Egress] }

// DomainPorts are those on which an endpoint reaches a domain of [Engine.Domains].
func (e *Engine) DomainPorts(endpoint, domain int) Ports {
	return e.rowOf[Egress][endpoint].ports(e.words*64 + len(e.blocks[Egress]) + domain)
}

// DomainConditions are those of what an endpoint reaches of a domain.
func (e *Engine) DomainConditions(endpoint, domain int) []Condition {
	return e.BlockConditions(Egress, endpoint, len(e.blocks[Egress])+domain)
}

// domainPorts are those on which an endpoint reaches a domain though it does not reach all
// addresses on them: what is worth saying of it.
func (e *Engine) domainPorts(endpoint, domain int) Ports {
	p := e.DomainPorts(endpoint, domain)
	for i, b := range e.blocks[Egress] {
		if b.First.Is4() && !p.Intersect(e.BlockPorts(Egress, endpoint, i)).Equal(p) {
			return p
		}
	}
	return Ports{}
}
