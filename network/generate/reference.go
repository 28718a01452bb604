package generate

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"bulwark/internal/lazyregexp"
	"bulwark/kube"
	"bulwark/network"
)

const mostText = 1 << 20 // of one setting that is looked at

// hostForm finds what may be the name of a host: after ://, @ or a border, with a port behind it or
// not.
var hostForm = lazyregexp.New(`(?i)(?:([a-z][a-z0-9+.-]{1,20})://)?(?:[^\s/@"']{1,200}@)?([a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9][a-z0-9-]{0,62}){0,8}\.?)(?::(\d{1,5}))?`)

// usual are the ports of schemes.
var usual = map[string]string{"http": "80", "https": "443", "ws": "80", "wss": "443", "postgres": "5432", "postgresql": "5432", "mysql": "3306", "redis": "6379", "rediss": "6379", "amqp": "5672", "amqps": "5671", "mongodb": "27017", "nats": "4222", "ldap": "389", "ldaps": "636", "kafka": "9092", "memcached": "11211"}

// references finds the Services that settings of workloads name.
func (p *Plan) references() {
	for i, e := range p.Engine.Endpoints {
		if e.Workload == nil {
			continue
		}
		seen := map[string]bool{}
		p.settings(e.Workload, func(value, where string) {
			if len(value) > mostText {
				p.note("%s: %s is too long to be looked at as a whole", e, where)
				value = value[:mostText]
			}
			if !seen[value] {
				seen[value] = true
				p.named(i, value, where)
			}
		})
	}
}

// settings gives the texts that a workload's programs are given, and where they stand.
func (p *Plan) settings(w *kube.Workload, give func(value, where string)) {
	maps := map[string]bool{}
	file := func(name string) {
		o := p.Set.Find(w.Namespace + "/ConfigMap/" + name)
		if o == nil || maps[name] {
			return
		}
		maps[name] = true
		for key, v := range o.Root.Get("data").Fields() {
			give(v.Text(), "ConfigMap "+name+", "+key)
		}
	}
	for i := range w.Containers {
		c := &w.Containers[i]
		for _, v := range c.Env {
			give(v.Value, "container "+c.Name+", env "+v.Name)
			if v.ValueFrom != nil && v.ValueFrom.ConfigMapKeyRef != nil {
				ref := v.ValueFrom.ConfigMapKeyRef
				if o := p.Set.Find(w.Namespace + "/ConfigMap/" + ref.Name); o != nil {
					give(o.Root.Get("data", ref.Key).Text(), "container "+c.Name+", env "+v.Name+" of ConfigMap "+ref.Name)
				}
			}
		}
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				file(from.ConfigMapRef.Name)
			}
		}
		for _, arg := range slices.Concat(c.Command, c.Args) {
			give(arg, "container "+c.Name+", its arguments")
		}
	}
	for _, v := range w.Spec.Volumes {
		if v.ConfigMap != nil {
			file(v.ConfigMap.Name)
		}
		if v.Projected != nil {
			for _, src := range v.Projected.Sources {
				if src.ConfigMap != nil {
					file(src.ConfigMap.Name)
				}
			}
		}
	}
}

// named adds flows to what a text names.
func (p *Plan) named(from int, value, where string) {
	for _, m := range hostForm.FindAllStringSubmatchIndex(value, 1000) {
		part := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return value[m[2*i]:m[2*i+1]]
		}
		scheme, host, port := lower(part(1)), strings.TrimSuffix(lower(part(2)), "."), part(3)
		whole := m[4] == 0 && m[5] == len(value) // the text is the name, and nothing else
		namespace, name, sure := p.service(p.Engine.Endpoints[from].Namespace, host)
		service := p.directory.Service(namespace, name)
		switch {
		case service != nil && (sure || scheme != "" || port != "" || whole && !p.behind(service, from)):
			p.toService(from, service, scheme, port, where)
		case service == nil && (scheme != "" || port != "") && strings.Contains(host, ".") && !p.spaced(namespace):
			p.outside(from, host, scheme, port, where)
		}
	}
}

// behind tells whether a workload is behind a Service: of its own name many speak that do not
// call it.
func (p *Plan) behind(service *kube.Object, endpoint int) bool {
	_, ok := p.directory.Behind(service, "")[endpoint]
	return ok
}

// spaced tells whether there is a namespace of a name: a host in it is one of the cluster's.
func (p *Plan) spaced(name string) bool {
	return p.said[name] && name != ""
}

// service reads the name of a host as that of a Service: sure tells whether it can be nothing
// else.
func (p *Plan) service(own, host string) (namespace, name string, sure bool) {
	parts := strings.Split(host, ".")
	switch {
	case len(parts) == 1:
		return own, parts[0], false
	case len(parts) == 2 || parts[2] == "svc":
		return parts[1], parts[0], len(parts) > 2
	case len(parts) == 3 || parts[3] == "svc": // a pod of a StatefulSet: db-0.db.shop.svc
		return parts[2], parts[1], len(parts) > 3
	}
	return "", "", false
}

// toService adds the flow to the pods of a Service.
func (p *Plan) toService(from int, service *kube.Object, scheme, port, where string) {
	spec := service.Root.Get("spec")
	why := where + ": " + service.Name
	if port != "" {
		why += ":" + port
	}
	if spec.Get("type").Text() == "ExternalName" {
		p.outside(from, lower(spec.Get("externalName").Text()), scheme, port, why)
		return
	}
	behind := p.directory.Behind(service, port)
	if port == "" {
		if one := p.directory.Behind(service, usual[scheme]); usual[scheme] != "" && len(one) > 0 {
			behind = one
		}
	}
	if len(behind) == 0 && port != "" { // the pods' own port, of a Service without an address
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
			for to := range p.directory.Behind(service, "") {
				p.between(from, to, network.PortRange(network.TCP, uint16(n), uint16(n)), why)
			}
		}
	}
	if p.strange(service) {
		p.toStrangers(from, service, port, why)
	}
	if len(behind) == 0 && spec.Get("selector").Len() == 0 {
		p.note("%s: the Service %s has no pods: what is behind it is not known", p.Engine.Endpoints[from], service.ID())
	}
	for to, ports := range behind {
		p.between(from, to, ports, why)
	}
}

// outside adds the flow to a host outside of the cluster.
func (p *Plan) outside(from int, host, scheme, port, where string) {
	port = firstOf(port, usual[scheme])
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "localhost" || strings.HasSuffix(host, ".cluster.local") || strings.HasSuffix(host, ".svc") {
		return
	}
	peer := Peer{Kind: Addresses, CIDRs: []string{"0.0.0.0/0"}, Except: private, Host: host}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.IsLoopback() || a.IsUnspecified() {
			return
		}
		peer = Peer{Kind: Addresses, CIDRs: []string{netip.PrefixFrom(a, a.BitLen()).String()}}
	}
	p.flow(Flow{network.Egress, from, peer, network.PortRange(network.TCP, uint16(n), uint16(n)), fmt.Sprintf("%s: %s", where, host)})
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
