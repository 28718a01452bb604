package network

import (
	"slices"
	"strings"

	"bulwark/kube"
)

// meshRoot is the namespace whose policies hold for the whole mesh, unless it is set up in
// another way.
const meshRoot = "istio-system"

// mesh is who is in a mesh, and how its members are spoken to.
type mesh struct {
	members set
	ambient set    // of those, who has no sidecar
	root    string // the namespace whose policies hold for all
	// assumed are the namespaces whose pods are taken to be members: their policies say so,
	// and nothing else is known of them.
	assumed map[string]bool
	plain   []plain // members that are spoken to in the clear on some ports
	strict  []strict
}

// plain is members that are never spoken to with identities on some ports.
type plain struct {
	who   group
	ports Ports
}

// strict is members that only those with an identity reach on some ports, and what says so.
type strict struct {
	object *kube.Object
	path   []any
	who    group
	ports  Ports
}

// inMesh finds who is in a mesh, once.
func (r *reader) inMesh() *mesh {
	if r.istio != nil {
		return r.istio
	}
	m := &mesh{members: newSet(len(r.e.Endpoints)), ambient: newSet(len(r.e.Endpoints)), root: rootOf(r.all), assumed: map[string]bool{}}
	r.istio = m
	known, spoken := map[string]bool{}, map[string]bool{}
	for _, o := range r.all.Kind("", "Namespace") {
		known[o.Name] = true
	}
	for _, kind := range []string{"AuthorizationPolicy", "PeerAuthentication"} {
		for _, o := range r.all.Kind("security.istio.io", kind) {
			spoken[spaceOf(o)] = true
		}
	}
	for i, e := range r.e.Endpoints {
		if e.Outside || e.Host {
			continue
		}
		in, ambient, told := injected(e, r.namespaces.labels[r.number[e.Namespace]])
		if !told && !known[e.Namespace] && r.all.Cluster == nil && spoken[e.Namespace] {
			in, m.assumed[e.Namespace] = true, true
		}
		if in {
			m.members.add(i)
		}
		if in && ambient {
			m.ambient.add(i)
		}
	}
	r.authenticate(m)
	return m
}

// rootOf is the namespace whose policies hold for the whole mesh.
func rootOf(s *kube.Set) string {
	for _, o := range s.Kind("", "ConfigMap") {
		if o.Name != "istio" && !strings.HasPrefix(o.Name, "istio-") {
			continue
		}
		for line := range strings.Lines(o.Root.Get("data", "mesh").Text()) {
			if name, ok := strings.CutPrefix(line, "rootNamespace:"); ok && strings.Trim(name, " \t\r\n\"'") != "" {
				return strings.Trim(name, " \t\r\n\"'")
			}
		}
	}
	return meshRoot
}

// injected tells whether pods have a sidecar or are part of an ambient mesh, and whether
// anything says so or not.
func injected(e *Endpoint, space map[string]string) (in, ambient, told bool) {
	for _, c := range e.Workload.Containers {
		if c.Name == "istio-proxy" {
			return true, false, true
		}
	}
	label := func(key string) string {
		if v := e.Labels[key]; v != "" {
			return v
		}
		return e.Workload.Meta.Annotations[key]
	}
	mode := e.Labels["istio.io/dataplane-mode"]
	ambient = mode == "ambient" || mode != "none" && space["istio.io/dataplane-mode"] == "ambient"
	switch inject := label("sidecar.istio.io/inject"); {
	case inject == "true":
		return true, false, true
	case ambient:
		return true, true, true
	case inject == "false":
		return false, false, true
	case space["istio-injection"] != "":
		return space["istio-injection"] == "enabled", false, true
	case space["istio.io/rev"] != "":
		return true, false, true
	}
	return false, false, false
}

// subject gives the members that a policy of the mesh holds for: those of its namespace, or
// of all when that is the root, with some labels.
func (r *reader) meshed(o *kube.Object) group {
	var pods, spaces []requirement
	for k, v := range o.Root.Get("spec", "selector", "matchLabels").Fields() {
		pods = append(pods, requirement{k, "In", []string{v.Text()}})
	}
	if spaceOf(o) != r.inMesh().root {
		spaces = in(spaceOf(o))
	}
	all := r.holdingFor(r.choose(spaces, pods))
	members := all.only(r.inMesh().members)
	if !all.empty() && members.empty() {
		r.note(o, nil, "it holds for pods without a sidecar or ambient mesh alone: it has no effect")
	}
	if r.inMesh().assumed[spaceOf(o)] { // once for the namespace
		delete(r.inMesh().assumed, spaceOf(o))
		r.note(o, nil, "whether pods of %s are in a mesh is not known: they are taken to be", spaceOf(o))
	}
	return members
}

// authenticate finds for each member which PeerAuthentication holds for which port: that of
// its labels, else that of its namespace, else that of the mesh; of several the oldest.
func (r *reader) authenticate(m *mesh) {
	list := slices.Clone(r.all.Kind("security.istio.io", "PeerAuthentication"))
	born := func(o *kube.Object) string { return o.Root.Get("metadata", "creationTimestamp").Text() }
	slices.SortStableFunc(list, func(a, b *kube.Object) int { return strings.Compare(born(a), born(b)) })
	if len(list) == 0 {
		return
	}
	x := &authentication{m, map[string]*found{}, nil}
	for i := range m.members.each {
		x.member(i, r.e.Endpoints[i], list)
	}
	for _, key := range x.order {
		f := x.found[key]
		switch f.mode {
		case "STRICT":
			m.strict = append(m.strict, strict{f.object, f.path, groupOf(f.who), f.ports})
		case "DISABLE":
			m.plain = append(m.plain, plain{groupOf(f.who), f.ports})
		}
	}
}

// authentication collects members that are alike.
type authentication struct {
	*mesh
	found map[string]*found
	order []string
}

type found struct {
	object *kube.Object
	path   []any
	mode   string
	who    set
	ports  Ports
}

// member finds what holds for one.
func (x *authentication) member(i int, e *Endpoint, list []*kube.Object) {
	rest := Ports{}
	rest.of[TCP] = []span{{1, lastPort}}
	for level := range 3 {
		at := slices.IndexFunc(list, func(o *kube.Object) bool { return x.authenticates(o, e, level) })
		if at < 0 {
			continue
		}
		o := list[at]
		if level == 0 {
			for port, n := range o.Root.Get("spec", "portLevelMtls").Fields() {
				number, ok := number16(port)
				if mode := n.Get("mode").Text(); ok && number > 0 && mode != "" && mode != "UNSET" {
					one := PortRange(TCP, uint16(number), uint16(number))
					x.add(i, o, []any{"spec", "portLevelMtls", port}, mode, one)
					rest = rest.Without(one)
				}
			}
		}
		if mode := o.Root.Get("spec", "mtls", "mode").Text(); mode != "" && mode != "UNSET" {
			x.add(i, o, []any{"spec", "mtls", "mode"}, mode, rest)
			return
		}
	}
}

// authenticates tells whether a PeerAuthentication is for a member: by its labels (0), by its
// namespace (1) or by its mesh (2).
func (x *authentication) authenticates(o *kube.Object, e *Endpoint, level int) bool {
	labels := o.Root.Get("spec", "selector", "matchLabels")
	switch level {
	case 0:
		for k, v := range labels.Fields() {
			if have, ok := e.Labels[k]; !ok || have != v.Text() {
				return false
			}
		}
		return labels.Len() > 0 && spaceOf(o) == e.Namespace
	case 1:
		return labels.Len() == 0 && spaceOf(o) == e.Namespace
	}
	return labels.Len() == 0 && spaceOf(o) == x.root
}

func (x *authentication) add(i int, o *kube.Object, path []any, mode string, ports Ports) {
	if mode == "DISABLE" && x.ambient.has(i) {
		mode = "PERMISSIVE" // an ambient mesh always knows who its members are
	}
	key := o.ID() + "\x00" + kube.PathText(path...) + "\x00" + mode + "\x00" + ports.String()
	f := x.found[key]
	if f == nil {
		f = &found{o, path, mode, make(set, len(x.members)), ports}
		x.found[key], x.order = f, append(x.order, key)
	}
	f.who.add(i)
}

// Identity is the principal by which policies of a mesh know an endpoint; "" when it is in none.
func (e *Engine) Identity(endpoint int) string {
	p := e.Endpoints[endpoint]
	if e.mesh == nil || p.Workload == nil {
		return ""
	}
	e.reader.mu.Lock()
	defer e.reader.mu.Unlock()
	if !e.reader.inMesh().members.has(endpoint) {
		return ""
	}
	return "cluster.local/ns/" + p.Namespace + "/sa/" + p.Workload.ServiceAccount()
}
