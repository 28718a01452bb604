package workload

import (
	"net"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// imageRules are about where what runs comes from.
func imageRules(o Options) []*posture.Rule {
	return []*posture.Rule{
		{
			Rule: misconfig.Rule{ID: "workload/image-tag", Severity: low, Hygiene: true, Title: "An image has no tag of its own",
				Tags: []string{"cis:5.5.1", "cis-docker:4.2", "attack:T1525", "kubelinter:latest-tag", "kubescape:C-0075"}, Fix: "name a version, best with its digest",
				Why:   "latest, also where no tag is given, is whatever was pushed last: nobody knows what runs, and who pushes to the repository runs it at the next start. Hygiene: the repository has to be taken first, and a version may be moved as well: only the digest cannot",
				Noise: "templates that fill the version in later", Refs: []string{docsImages}},
			Workload: func(h *posture.Hits, w *kube.Workload) {
				for c := range each(w) {
					if i := parseImage(c.Image); unnamed(c, i) && !builtHere(h.Set, c.Image) {
						h.Add(at(w, c, "image "+c.Image, "image"))
					}
				}
			},
		},
		{
			Rule: misconfig.Rule{ID: "workload/image-digest", Severity: low, Hygiene: true, Title: "An image is not pinned by its digest",
				Tags: []string{"cis:5.5.1", "attack:T1525"}, Fix: "write the digest behind the tag: image:1.2.3@sha256:...",
				Why:   "a tag can be moved to another image. Hygiene: with a trusted repository it rarely is",
				Noise: "tools that pin by tag and check signatures at admission", Refs: []string{docsImages}},
			Workload: func(h *posture.Hits, w *kube.Workload) {
				for c := range each(w) {
					if i := parseImage(c.Image); i.digest == "" && !placeholder(c.Image) && !unnamed(c, i) {
						h.Add(at(w, c, "image "+c.Image, "image"))
					}
				}
			},
		},
		{
			Rule: misconfig.Rule{ID: "workload/image-pull-policy", Severity: low, Hygiene: true, Title: "A moving tag is not pulled again",
				Tags: []string{"kubescape:C-0075"}, Fix: "set imagePullPolicy: Always, or name a version",
				Why:   "latest with IfNotPresent or Never runs whatever each node pulled once: nodes differ, and updates do not arrive. Hygiene: it is about knowing what runs",
				Noise: "images that are built on the node itself", Refs: []string{docsImages + "#image-pull-policy"}},
			Workload: func(h *posture.Hits, w *kube.Workload) {
				for c := range each(w) {
					if p := c.ImagePullPolicy; unnamed(c, parseImage(c.Image)) && (p == corev1.PullIfNotPresent || p == corev1.PullNever) {
						hit := at(w, c, "imagePullPolicy: "+string(p)+" of "+c.Image, "imagePullPolicy")
						if p == corev1.PullIfNotPresent {
							hit.Edits = []kube.Edit{kube.Put("Always", hit.Path...)}
						}
						h.Add(hit)
					}
				}
			},
		},
		{
			Rule: misconfig.Rule{ID: "workload/image-registry", Severity: medium, Title: "An image comes from a registry that is not on the list",
				Tags: []string{"attack:T1525", "attack:T1204.003", "kubescape:C-0078"}, Fix: "copy the image to a registry of yours, or put the registry on the list (--registries)",
				Why:   "what others push runs in the cluster: medium where it is on none of the registries that were named; low where the registry has no name but an address or localhost, which anybody in the network may answer for, mostly without TLS",
				Noise: "registries on the nodes of test clusters", Refs: []string{docsImages}},
			Workload: func(h *posture.Hits, w *kube.Workload) { registries(h, w, o.Registries) },
		},
		{
			Rule: misconfig.Rule{ID: "workload/image-frozen-registry", Severity: low, Hygiene: true, Title: "An image comes from a registry that gets no updates",
				Tags: []string{"attack:T1525"}, Fix: "take the image from registry.k8s.io, or where its project publishes now",
				Why:   "k8s.gcr.io and gcr.io/google_containers are frozen: what is there gets no fixes. Hygiene: what the image lacks is found by scanning it",
				Noise: "mirrors of that name", Refs: []string{"https://kubernetes.io/blog/2023/02/06/k8s-gcr-io-freeze-announcement/"}},
			Workload: func(h *posture.Hits, w *kube.Workload) {
				for c := range each(w) {
					if i := parseImage(c.Image); i.registry == "k8s.gcr.io" || i.registry == "gcr.io" && (strings.HasPrefix(i.repository, "google_containers/") || strings.HasPrefix(i.repository, "google-containers/")) {
						h.Add(at(w, c, "image "+c.Image, "image"))
					}
				}
			},
		},
		{
			Rule: misconfig.Rule{ID: "workload/pull-secret-missing", Severity: low, Hygiene: true, Title: "A pull secret is not there",
				Tags: []string{}, Fix: "create the Secret in the namespace, or take its name out",
				Why:   "private images cannot be pulled on nodes that do not have them. Hygiene: nothing is opened",
				Noise: "the Secret is made by something else; told of only in a cluster, or where the namespace's other Secrets of that kind were scanned", Refs: []string{docsImages}},
			Workload: pullSecrets,
		},
	}
}

// pullSecrets finds names of secrets that are not there.
func pullSecrets(h *posture.Hits, w *kube.Workload) {
	known := h.Set.Cluster != nil && len(h.Set.Cluster.Unseen) == 0
	for _, o := range h.Set.Kind("", "Secret") {
		if known {
			break
		}
		known = h.Set.Cluster == nil && o.Namespace == w.Namespace && strings.HasPrefix(o.Root.Get("type").Text(), "kubernetes.io/docker")
	}
	for i, ref := range w.Spec.ImagePullSecrets {
		if known && ref.Name != "" && h.Set.Find(w.Namespace+"/Secret/"+ref.Name) == nil {
			h.Add(inPod(w, "imagePullSecrets names "+ref.Name+", which is not in the namespace "+w.Namespace, "imagePullSecrets", i))
		}
	}
}

// builtHere tells whether a Skaffold file among what was scanned builds an image: it fills
// the tag in.
func builtHere(s *kube.Set, name string) bool {
	for _, o := range s.Kind("skaffold", "Config") {
		for _, a := range o.Root.Get("build", "artifacts").Items() {
			if a.Get("image").Text() == name {
				return true
			}
		}
	}
	return false
}

// unnamed tells whether an image has no version.
func unnamed(c *kube.Container, i image) bool {
	return i.digest == "" && (i.tag == "" || i.tag == "latest") && !placeholder(c.Image) && !strings.Contains(i.repository, "*")
}

func registries(h *posture.Hits, w *kube.Workload, allowed []string) {
	for c := range each(w) {
		if placeholder(c.Image) {
			continue
		}
		i := parseImage(c.Image)
		if len(allowed) > 0 {
			if !allows(allowed, i) {
				h.Add(at(w, c, "image "+c.Image+" of "+i.registry, "image"))
			}
			continue
		}
		host, _, _ := strings.Cut(i.registry, ":")
		if host == "localhost" || net.ParseIP(host) != nil {
			hit := at(w, c, "image "+c.Image+" of the address "+i.registry, "image")
			hit.Severity = low
			h.Add(hit)
		}
	}
}

// allows tells whether an image is of one of the registries: "docker.io", "quay.io/team".
func allows(allowed []string, i image) bool {
	name := i.registry + "/" + i.repository
	if i.registry == "index.docker.io" {
		name = "docker.io/" + i.repository
	}
	for _, a := range allowed {
		if a = strings.TrimRight(a, "/"); name == a || strings.HasPrefix(name, a+"/") {
			return true
		}
	}
	return false
}
