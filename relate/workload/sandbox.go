package workload

import (
	"strings"

	"bulwark"
	"bulwark/kube"
	"bulwark/relate/internal/found"
	"bulwark/relate/internal/name"
)

// sandbox tells whether the pods run behind a kernel of their own: what is mounted from the
// node is theirs none the less.
func (p *pods) sandbox() bool {
	if p.Spec.RuntimeClassName == nil || *p.Spec.RuntimeClassName == "" {
		return false
	}
	handler := *p.Spec.RuntimeClassName
	if class := p.set.Find("RuntimeClass/" + handler); class != nil {
		handler = class.Root.Get("handler").Text()
	}
	handler = strings.ToLower(handler)
	for _, word := range []string{"gvisor", "runsc", "kata", "firecracker", "confidential", "sandbox"} {
		if strings.Contains(handler, word) {
			return true
		}
	}
	return false
}

// flaws relates a container to its node by flaws of the kernel, where more than usual makes
// them likely: it runs what others bring, or may call all of the kernel. Every container may
// find one; that would relate all to all, and is left out.
func (p *pods) flaws(c *kube.Container, at bulwark.VertexID) {
	if p.sandbox() {
		return
	}
	likelihood := 0.0
	r := bulwark.Relation{From: at, Type: "KERNEL_EXPLOIT"}
	tell := func(rule, text string, chance float64) {
		if f := p.known.Like(p.id, rule, "", ""); f != nil && (p.about(f, c)) {
			likelihood += chance
			r.Text = text
			found.Add(&r, f)
		}
	}
	tell("workload/seccomp-unconfined", "uses a flaw of the kernel, of which it may call everything", 0.02)
	if mayBeRoot(p.Workload, c) {
		tell("workload/apparmor-unconfined", "uses a flaw of the kernel, without AppArmor", 0.01)
	}
	tell("workload/no-sandbox", "runs what others bring, and they use a flaw of the kernel that it shares with the node", 0.05)
	if likelihood == 0 {
		return
	}
	if no(p.Spec.HostUsers) {
		likelihood /= 4
	}
	// Each fix makes it less likely, and none alone removes it but a sandbox.
	r.To, r.Likelihood, r.Remedies = p.node(), likelihood, nil
	p.remedy(&r, p.id+" runtimeClassName", "run "+p.id+" in a sandbox: a runtimeClassName of gVisor or Kata", nil)
	p.to.Relation(r)
}

// about tells whether a finding about the workload is about a container, or all of them.
func (p *pods) about(f *bulwark.Finding, c *kube.Container) bool {
	named := false
	for _, line := range f.Evidence {
		if strings.HasPrefix(line, "container "+c.Name+": ") {
			return true
		}
		named = named || strings.HasPrefix(line, "container ")
	}
	return !named
}

// devices relates a container to its node by a disk of that, which it may read and write
// below the file system.
func (p *pods) devices(c *kube.Container, at bulwark.VertexID) {
	for _, d := range c.VolumeDevices {
		v := p.volume(d.Name)
		if v == nil || v.PersistentVolumeClaim == nil {
			continue
		}
		pv := p.bound(p.Namespace, v.PersistentVolumeClaim.ClaimName)
		if own := folderOf(pv, true); strings.HasPrefix(own, "/dev/") {
			p.toNode(at, "CE_BLOCK_DEVICE", 0.3, "changes the node's disk "+own+" below the file system", "workload/block-device")
		}
	}
}

// neighbours relates a container to the others of its pod whose processes it sees: by a group,
// where they are many.
func (p *pods) neighbours(c *kube.Container, at bulwark.VertexID) {
	if !yes(p.Spec.ShareProcessNamespace) || p.Spec.HostPID || name.Passes(c) {
		return
	}
	see := bulwark.Relation{From: at, Type: "SHARE_PS_NAMESPACE", Likelihood: 0.4, Text: "sees its processes, and their files by /proc/PID/root"}
	if mayBeRoot(p.Workload, c) {
		see.Likelihood = 0.9 // who is not root gets into processes of its own user
	}
	p.known.Because(&see, p.id, "workload/share-process-namespace")
	if len(see.Remedies) == 0 {
		p.remedy(&see, p.id+" shareProcessNamespace", "take shareProcessNamespace out of "+p.id, p.Object, kube.Drop(p.Path("shareProcessNamespace")...))
	}
	if len(p.Containers) > few {
		see.To = name.Group("processes of " + p.id)
		p.to.Relation(see)
		p.to.Relation(bulwark.Relation{From: see.To, To: at, Type: "SHARE_PS_NAMESPACE", Text: "is one of them"})
		return
	}
	for i := range p.Containers {
		if other := &p.Containers[i]; other.Name != c.Name && !name.Passes(other) {
			see.To = name.Container(p.Workload, other)
			p.to.Relation(see)
		}
	}
}
