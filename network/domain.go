package network

// Domains are the names of peers that egress rules speak of: "api.example.com",
// "*.example.com". Which addresses they have is not known.
func (e *Engine) Domains() []string { return e.domains[Egress] }

// DomainPorts are those on which an endpoint reaches a domain of [Engine.Domains].
func (e *Engine) DomainPorts(endpoint, domain int) Ports {
	return e.rowOf[Egress][endpoint].beyond(len(e.blocks[Egress]) + domain)
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
