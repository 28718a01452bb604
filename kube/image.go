package kube

import (
	"slices"
	"strings"
)

// Image is an image that workloads run.
type Image struct {
	// Ref is what to get it by: with the digest that the nodes say they run, else as the pod
	// template names it.
	Ref       string
	Name      string   // as the pod template names it
	Workloads []string // their ids, in order
}

// Images gives the images that the workloads of a set run, each once, by reference. What the
// pods of a cluster say that they run counts more than what their template names.
func Images(s *Set) []Image {
	byKey := map[string]*Image{}
	for _, w := range s.Workloads() {
		running := w.running()
		for i := range w.Containers {
			c := &w.Containers[i]
			refs := running[c.Name]
			if len(refs) == 0 && c.Image != "" {
				refs = []string{c.Image}
			}
			for _, ref := range refs {
				addImage(byKey, ref, c.Image, w.ID())
			}
			delete(running, c.Name)
		}
		for _, refs := range running { // containers that were put in when the pod was made
			for _, ref := range refs {
				addImage(byKey, ref, ref, w.ID())
			}
		}
	}
	list := make([]Image, 0, len(byKey))
	for _, im := range byKey {
		slices.Sort(im.Workloads)
		im.Workloads = slices.Compact(im.Workloads)
		list = append(list, *im)
	}
	slices.SortFunc(list, func(a, b Image) int { return strings.Compare(a.Ref, b.Ref) })
	return list
}

func addImage(byKey map[string]*Image, ref, name, workload string) {
	key := ref
	if _, digest, ok := strings.Cut(ref, "@"); ok {
		key = digest
	}
	im := byKey[key]
	if im == nil {
		im = &Image{Ref: ref, Name: name}
		byKey[key] = im
	}
	im.Ref, im.Name = min(im.Ref, ref), min(im.Name, name) // the same whichever comes first
	im.Workloads = append(im.Workloads, workload)
}

// running gives for each container of the workload's pods what images they say they run.
func (w *Workload) running() map[string][]string {
	pods := w.Pods
	if w.Kind == "Pod" && w.Group() == "" {
		pods = append(slices.Clip(pods), w.Object)
	}
	found := map[string][]string{}
	for _, p := range pods {
		for _, field := range []string{"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"} {
			for _, c := range p.Root.Get("status", field).Items() {
				name, ref := c.Get("name").Text(), pulled(c.Get("imageID").Text())
				if ref != "" && !slices.Contains(found[name], ref) {
					found[name] = append(found[name], ref)
				}
			}
		}
	}
	return found
}

// pulled is the reference by digest that a node gives for an image; "" when the node has it
// from no registry.
func pulled(imageID string) string {
	if _, rest, ok := strings.Cut(imageID, "://"); ok { // docker-pullable://
		imageID = rest
	}
	if repo, digest, ok := strings.Cut(imageID, "@"); ok && repo != "" && strings.HasPrefix(digest, "sha256:") {
		return imageID
	}
	return ""
}
