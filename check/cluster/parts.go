package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bulwark"
	"bulwark/internal/ecosystem"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

// feed is the ecosystem of Kubernetes' own list of vulnerabilities.
const feed = "kubernetes"

// ask is what advisories are asked about a component: a package of an ecosystem.
type ask struct{ ecosystem, name string }

// known are the components that are recognised by the name of their image, or as what nodes
// say that they run, with the product that has dates.
var known = map[string]struct {
	asks    []ask
	product string
}{
	apiserver:    {[]ask{{feed, "k8s.io/apiserver"}, {feed, "k8s.io/kubernetes"}, {"Go", "k8s.io/kubernetes"}}, feed},
	controller:   {[]ask{{feed, "k8s.io/controller-manager"}}, ""},
	scheduler:    {[]ask{{feed, "k8s.io/scheduler"}}, ""},
	"kube-proxy": {[]ask{{feed, "k8s.io/kube-proxy"}}, ""},
	"kubelet":    {[]ask{{feed, "k8s.io/kubelet"}}, feed},
	etcd:         {[]ask{{"Go", "go.etcd.io/etcd"}, {"Go", "go.etcd.io/etcd/v3"}, {"Go", "go.etcd.io/etcd/server/v3"}}, etcd},
	"coredns":    {[]ask{{"Go", "github.com/coredns/coredns"}}, ""},
	"containerd": {[]ask{{"Go", "github.com/containerd/containerd"}, {"Go", "github.com/containerd/containerd/v2"}}, "containerd"},
	"cri-o":      {[]ask{{"Go", "github.com/cri-o/cri-o"}}, ""},
	"docker":     {[]ask{{"Go", "github.com/docker/docker"}}, "docker-engine"},
	"runc":       {[]ask{{"Go", "github.com/opencontainers/runc"}}, ""},
}

func newParts(s *kube.Set) *parts {
	p := &parts{byPURL: map[string]*part{}, packages: map[*bulwark.Release][]bulwark.Package{}, systems: map[string]*part{}, noWindows: noWindows(s)}
	if s.Cluster != nil && s.Cluster.Version != "" {
		p.component(apiserver, s.Cluster.Version, "", nil, providerOf(s))
	}
	p.images(s)
	for _, g := range nodesBy(s, "kubeletVersion") {
		p.component("kubelet", g.version, g.text(), g.nodes, provider(g.nodes[0]))
	}
	for _, g := range nodesBy(s, "containerRuntimeVersion") {
		name, version, _ := strings.Cut(g.version, "://")
		if _, ok := known[name]; !ok {
			p.note("container runtime %s of %s is not known", g.version, g.text())
			continue
		}
		p.component(name, version, g.text(), g.nodes, "")
	}
	p.system(s)
	if len(s.Kind("", "Node")) > 0 {
		p.note("nodes do not tell the version of runc, or of whatever else starts containers for their runtime: it was not judged")
	}
	return p
}

func (p *parts) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// provider is who builds a node's Kubernetes, where that has dates of its own.
func provider(node *kube.Object) string {
	if strings.HasPrefix(node.Root.Get("spec", "providerID").Text(), "azure://") && node.Labels["kubernetes.azure.com/cluster"] != "" {
		return "azure-kubernetes-service"
	}
	return ""
}

// providerOf is who builds the cluster's Kubernetes, by its nodes.
func providerOf(s *kube.Set) string {
	for _, node := range s.Kind("", "Node") {
		if by := provider(node); by != "" {
			return by
		}
	}
	return ""
}

// noWindows tells whether nodes are known, and none of them runs Windows.
func noWindows(s *kube.Set) bool {
	nodes := s.Kind("", "Node")
	return len(nodes) > 0 && !slices.ContainsFunc(nodes, func(n *kube.Object) bool {
		return !strings.EqualFold(n.Root.Get("status", "nodeInfo", "operatingSystem").Text(), "linux")
	})
}

// images takes the components that pods run, by the tag of their image.
func (p *parts) images(s *kube.Set) {
	type one struct{ name, tag string }
	by := map[one][]*kube.Object{}
	var order []one
	for _, w := range s.Workloads() {
		for i := range w.Containers {
			c := &w.Containers[i]
			name := c.Component()
			if base := baseName(c.Image); name == "" && base == "coredns" {
				name = base
			}
			k := one{name, kube.ImageTag(c.Image)}
			if name == "" || k.tag == "" || name == apiserver && s.Cluster != nil && s.Cluster.Version != "" || name == etcd && w.Namespace != system {
				continue
			}
			if by[k] == nil {
				order = append(order, k)
			}
			by[k] = append(by[k], w.Object)
		}
	}
	for _, k := range order {
		where := by[k][0].ID()
		if n := len(by[k]); n > 1 {
			where += fmt.Sprintf(" and %d more", n-1)
		}
		p.component(k.name, k.tag, where, by[k], "")
	}
}

func baseName(image string) string {
	name := kube.ImageName(image)
	return name[strings.LastIndexByte(name, '/')+1:]
}

var (
	// plainVersion is a version as its makers write it, with what says that it is not final.
	plainVersion = lazyregexp.New(`^v?(\d+\.\d+\.\d+)(-(?:alpha|beta|rc)[.\d]*)?`)
	// rebuilt is what distributions add to versions that they mend on their own.
	rebuilt = lazyregexp.New(`ubuntu|deb\d|~ds|\.el\d|\.fc\d|\.amzn`)
)

// component adds a version of a component.
func (p *parts) component(name, version, where string, nodes []*kube.Object, product string) {
	m := plainVersion.FindStringSubmatch(version)
	if m == nil {
		p.note("version %s of %s cannot be read", version, name)
		return
	}
	if rebuilt.MatchString(version) {
		p.note("%s %s on %s is a distribution's own build, which has fixes that its version does not tell: it was not judged", name, version, where)
		return
	}
	k, v := known[name], m[1]+m[2]
	if name == "docker" && major(v) >= 29 {
		p.note("docker %s on %s: advisories name versions of its module, github.com/moby/moby/v2, which it does not tell: it was judged by its age alone", version, where)
		k.asks = nil
	}
	one := &part{name: name, version: version, where: where, objects: nodes}
	for _, a := range k.asks {
		if strings.HasPrefix(v, "1.") == strings.HasSuffix(a.name, "/v2") && name == "containerd" {
			continue // version 2 is a module of its own
		}
		pkg := bulwark.Package{Name: a.name, Version: v, Ecosystem: a.ecosystem, PURL: "pkg:generic/kubernetes/" + strings.TrimPrefix(a.name, "k8s.io/") + "@" + v}
		asked := one
		if a.ecosystem == "Go" {
			pkg.Format, pkg.Version, pkg.PURL = "golang", "v"+v, "pkg:golang/"+a.name+"@v"+v
			if name == apiserver {
				copied := *one
				copied.second = true
				asked = &copied
			}
		}
		p.add(nil, asked, pkg)
	}
	if product = productOf(k.product, product, version); product != "" {
		p.add(nil, one, bulwark.Package{Name: product, Version: v, PURL: "pkg:generic/" + product + "@" + v})
	}
}

// major is the first number of a version.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}

// productOf is what has the dates of a component: a provider's Kubernetes lives longer than
// Kubernetes does.
func productOf(product, provider, version string) string {
	switch {
	case product != feed:
		return product
	case strings.Contains(version, "-eks"):
		return "amazon-eks"
	case strings.Contains(version, "-gke"):
		return "google-kubernetes-engine"
	case provider != "":
		return provider
	}
	return product
}

// add takes a package that stands for a part. Two parts may come to one package: v1.34.2 and
// v1.34.2+k3s1; what is said of it then names both.
func (p *parts) add(r *bulwark.Release, one *part, pkg bulwark.Package) {
	if old := p.byPURL[pkg.PURL]; old != nil {
		if old != one && old.where != one.where {
			both := *old
			both.version += ", " + one.name + " " + one.version
			both.where = strings.TrimPrefix(old.where+"; "+one.where, "; ")
			both.objects = slices.Concat(old.objects, one.objects)
			p.byPURL[pkg.PURL] = &both
		}
		return
	}
	p.byPURL[pkg.PURL] = one
	p.list = append(p.list, one)
	p.packages[r] = append(p.packages[r], pkg)
}

// system adds the operating systems of nodes, and their kernels.
func (p *parts) system(s *kube.Set) {
	releases := map[string]*bulwark.Release{}
	for _, g := range nodesBy(s, "osImage") {
		r := releaseOf(g.version)
		if r == nil {
			p.note("operating system %q of %s: its dates and advisories are not known", g.version, g.text())
			continue
		}
		subject := strings.ToLower(r.ID) + " " + r.VersionID
		if old := p.systems[subject]; old != nil {
			old.where, old.objects = old.where+"; "+g.text(), append(old.objects, g.nodes...)
		} else {
			releases[subject] = r
			p.systems[subject] = &part{name: systemName, version: g.version, where: g.text(), objects: slices.Clone(g.nodes)}
			p.list = append(p.list, p.systems[subject])
			p.packages[r] = nil
		}
		p.kernels(releases[subject], g.nodes)
	}
}

// kernels adds the kernels of nodes that run one system.
func (p *parts) kernels(r *bulwark.Release, nodes []*kube.Object) {
	for _, g := range nodesBy(&kube.Set{Objects: slices.Clone(nodes)}, "kernelVersion") {
		pkg, ok := kernel(r, g.version)
		if !ok {
			p.note("kernel %s of %s (%s): which fixes it has is not known", g.version, g.text(), strings.TrimSpace(r.Name))
			continue
		}
		pkg.Ecosystem = ecosystem.OfRelease(r)
		if pkg.Ecosystem == "" {
			continue
		}
		p.add(r, &part{name: kernelName, version: g.version, where: g.text(), objects: g.nodes}, pkg)
	}
}
