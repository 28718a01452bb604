package workload

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// pathRules are the rules about folders of the node.
func pathRules() []*posture.Rule {
	var list []*posture.Rule
	for i := range places {
		list = append(list, places[i].rule(i))
	}
	return append(list, socketRule, otherWritable, otherReadable, waitingPath)
}

func (p *place) rule(index int) *posture.Rule {
	return &posture.Rule{
		Rule: misconfig.Rule{ID: "workload/hostpath-" + p.name, Severity: max(p.write, p.read), Title: p.title,
			Tags: slices.Concat([]string{"cis:5.2.11", "cis-docker:5.6", "pss:hostPathVolumes", "attack:T1611", "kubelinter:sensitive-host-mounts", "kubescape:C-0048"}, p.tags),
			Fix:  p.fix, Why: p.why, Noise: p.noise, Refs: []string{docsVolumes, attackEscape}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for _, m := range hostMounts(h.Set, w) {
				if m.place == index {
					p.hit(h, w, &m)
				}
			}
		},
	}
}

func (p *place) hit(h *posture.Hits, w *kube.Workload, m *hostMount) {
	hit := at(w, m.c, m.text(), "volumeMounts", m.at)
	hit.Severity, hit.Tags = p.write, p.writeTags
	if m.readOnly {
		hit.Severity, hit.Tags = p.read, p.readTags
	}
	if hit.Severity == none || m.readOnly && harmlessPath(m.host) {
		return
	}
	if p.root != "" && !m.readOnly {
		switch {
		case ownUsers(w) && rootWithin(w, m.c) && !p.kernel:
			hit.Severity = high
			hit.Evidence += "; volumes are mapped for root of a user namespace: the node's files are its own"
		case mayBeRoot(w, m.c):
			hit.Severity = critical
			hit.Evidence += "; for root, " + p.root
		default:
			hit.Severity = high
		}
	}
	if !m.readOnly && p.read == none && !strings.HasSuffix(m.host, "bus") && p.name != "systemd" {
		hit.Edits = []kube.Edit{kube.Put(true, w.ContainerPath(m.c, "volumeMounts", m.at, "readOnly")...)}
	}
	if p.kernel {
		hit.Severity = lesser(w, hit.Severity)
	}
	danger(h, w, hit)
}

// rootWithin tells whether a container may run as root, be it that of a user namespace:
// volumes are mapped into it, so that the files of the node's root are its own.
func rootWithin(w *kube.Workload, c *kube.Container) bool {
	if u := user(w, c); u != nil {
		return *u == 0
	}
	return !yes(nonRoot(w, c))
}

func harmlessPath(p string) bool {
	return slices.ContainsFunc(harmless, func(dir string) bool { return within(p, dir) })
}

var socketRule = &posture.Rule{
	Rule: misconfig.Rule{ID: "workload/runtime-socket", Severity: critical, Title: "Pods talk to the node's container runtime",
		Tags:  []string{"cis:5.2.11", "cis-docker:5.32", "pss:hostPathVolumes", "attack:T1611", "attack:T1610", "edge:EXPLOIT_CONTAINERD_SOCK", "kubelinter:docker-sock", "kubescape:C-0074"},
		Fix:   "take the socket out: build images without a runtime (BuildKit rootless, Kaniko's successors), and read what runs from the Kubernetes API",
		Why:   "one request starts a privileged container with the node's file system: it is root on the node. readOnly does not help, since writing to a socket is not writing a file",
		Noise: "security agents and old build servers use it; folders such as /run hold it when the runtime's socket lies there",
		Refs:  []string{docsVolumes, attackEscape, "https://docs.docker.com/engine/security/#docker-daemon-attack-surface"}},
	Workload: func(h *posture.Hits, w *kube.Workload) {
		for _, m := range hostMounts(h.Set, w) {
			if m.place != len(places) {
				continue
			}
			hit := at(w, m.c, m.text(), "volumeMounts", m.at)
			if !strings.HasSuffix(m.host, ".sock") && !strings.HasPrefix(m.host, "/pipe/") {
				hit.Severity = high
				hit.Evidence += ": the folder of the runtime's sockets"
			}
			danger(h, w, hit)
		}
	},
}

var otherWritable = &posture.Rule{
	Rule: misconfig.Rule{ID: "workload/hostpath-writable", Severity: low, Title: "Pods write to a folder of the node",
		Tags:  []string{"cis:5.2.11", "cis-docker:5.6", "pss:hostPathVolumes", "attack:T1611", "edge:EXPLOIT_HOST_WRITE", "kubelinter:writable-host-mount", "kubescape:C-0045"},
		Fix:   "keep the data in a PersistentVolumeClaim; where it must be the node's, mount it readOnly: true",
		Why:   "root in the container leaves set-uid programs, and fills the node's disk; what else uses the folder trusts what is in it. Low: nothing of the system's is known to be there",
		Noise: "clusters of one node keep their data this way",
		Refs:  []string{docsVolumes}},
	Workload: func(h *posture.Hits, w *kube.Workload) {
		for _, m := range hostMounts(h.Set, w) {
			if !m.readOnly && m.place < 0 && !harmlessPath(m.host) {
				hit := at(w, m.c, m.text(), "volumeMounts", m.at)
				hit.Edits = []kube.Edit{kube.Put(true, w.ContainerPath(m.c, "volumeMounts", m.at, "readOnly")...)}
				danger(h, w, hit)
			}
		}
	},
}

var otherReadable = &posture.Rule{
	Rule: misconfig.Rule{ID: "workload/hostpath-other", Severity: low, Hygiene: true, Title: "Pods use a folder of the node",
		Tags:  []string{"cis:5.2.11", "pss:hostPathVolumes", "kubescape:C-0048"},
		Fix:   "use a ConfigMap, a projected volume or a PersistentVolumeClaim",
		Why:   "the pods run only where the folder is, and no namespace that enforces baseline takes them. Hygiene: nothing dangerous is known to be there, or it is read-only",
		Noise: "time zones and certificates of the node are read this way",
		Refs:  []string{docsVolumes, docsPSS}},
	Workload: func(h *posture.Hits, w *kube.Workload) {
		for _, m := range hostMounts(h.Set, w) {
			i := m.place
			told := i == len(places) || i >= 0 && (!m.readOnly || places[i].read != none && !harmlessPath(m.host)) || i < 0 && !m.readOnly && !harmlessPath(m.host)
			if !told {
				h.Add(at(w, m.c, m.text(), "volumeMounts", m.at))
			}
		}
	},
}
