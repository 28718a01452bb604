package workload

import (
	"iter"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// each gives the containers of a workload.
func each(w *kube.Workload) iter.Seq[*kube.Container] {
	return func(yield func(*kube.Container) bool) {
		for i := range w.Containers {
			if !yield(&w.Containers[i]) {
				return
			}
		}
	}
}

// lasting gives those that run as long as the pod does.
func lasting(w *kube.Workload) iter.Seq[*kube.Container] {
	return func(yield func(*kube.Container) bool) {
		for i := range w.Containers {
			c := &w.Containers[i]
			if (!c.Init || c.Sidecar()) && !c.Ephemeral && !yield(c) {
				return
			}
		}
	}
}

// at is a hit at a field of a container.
func at(w *kube.Workload, c *kube.Container, evidence string, path ...any) posture.Hit {
	return posture.Hit{Object: w.Object, Path: w.ContainerPath(c, path...), Evidence: "container " + c.Name + ": " + evidence}
}

// inPod is a hit at a field of the pods' spec.
func inPod(w *kube.Workload, evidence string, path ...any) posture.Hit {
	return posture.Hit{Object: w.Object, Path: w.Path(path...), Evidence: evidence}
}

// danger adds a hit, and says so when the pods look like a known agent of nodes: it is
// none the less dangerous for that, but no edit is sure to leave it working.
func danger(h *posture.Hits, w *kube.Workload, hit posture.Hit) {
	if name := agentOf(w); name != "" {
		hit.Edits = nil
		hit.More = append(hit.More, "the image is named like "+name+", an agent that nodes are known to have: expected there, and worth an exception")
	}
	h.Add(hit)
}

// yes tells whether a pointer says true.
func yes(b *bool) bool { return b != nil && *b }

// no tells whether a pointer says false.
func no(b *bool) bool { return b != nil && !*b }

// privileged tells whether a container has all rights of the node.
func privileged(c *kube.Container) bool {
	return c.SecurityContext != nil && yes(c.SecurityContext.Privileged)
}

// anyPrivileged tells whether one of the containers has.
func anyPrivileged(w *kube.Workload) bool {
	for c := range each(w) {
		if privileged(c) {
			return true
		}
	}
	return false
}

// ownUsers tells whether the pods have user namespaces of their own: root in them is
// nobody on the node.
func ownUsers(w *kube.Workload) bool { return no(w.Spec.HostUsers) }

// user is the user id that a container runs as, when it is written down.
func user(w *kube.Workload, c *kube.Container) *int64 {
	if s := c.SecurityContext; s != nil && s.RunAsUser != nil {
		return s.RunAsUser
	}
	if s := w.Spec.SecurityContext; s != nil {
		return s.RunAsUser
	}
	return nil
}

// nonRoot is what is written down about running as root.
func nonRoot(w *kube.Workload, c *kube.Container) *bool {
	if s := c.SecurityContext; s != nil && s.RunAsNonRoot != nil {
		return s.RunAsNonRoot
	}
	if s := w.Spec.SecurityContext; s != nil {
		return s.RunAsNonRoot
	}
	return nil
}

// mayBeRoot tells whether a container may run as the node's root: when nothing says that it
// does not, the image decides.
func mayBeRoot(w *kube.Workload, c *kube.Container) bool {
	if ownUsers(w) {
		return false
	}
	if u := user(w, c); u != nil {
		return *u == 0
	}
	return !yes(nonRoot(w, c))
}

// seccomp is the profile that counts for a container; nil when none is written down.
func seccomp(w *kube.Workload, c *kube.Container) *corev1.SeccompProfile {
	if s := c.SecurityContext; s != nil && s.SeccompProfile != nil {
		return s.SeccompProfile
	}
	if s := w.Spec.SecurityContext; s != nil {
		return s.SeccompProfile
	}
	return nil
}

// lesser is the severity where the pods have user namespaces of their own.
func lesser(w *kube.Workload, s bulwark.Severity) bulwark.Severity {
	if ownUsers(w) && s > low {
		return low
	}
	return s
}

// agents are images of node agents, by the end of their repository.
var agents = map[string]string{
	"kube-proxy": "kube-proxy", "kube-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager", "kube-scheduler": "kube-scheduler", "etcd": "etcd",
	"calico/node": "Calico", "calico/cni": "Calico", "cilium/cilium": "Cilium", "flannel": "Flannel", "weave-kube": "Weave", "multus-cni": "Multus", "kindnetd": "kindnet", "kube-router": "kube-router",
	"antrea-agent-ubuntu": "Antrea", "amazon-k8s-cni": "the AWS VPC CNI", "speaker": "MetalLB",
	"node-exporter": "node-exporter", "cadvisor": "cAdvisor", "node-problem-detector": "node-problem-detector", "fluentd": "Fluentd", "fluent-bit": "Fluent Bit", "filebeat": "Filebeat", "promtail": "Promtail",
	"csi-node-driver-registrar": "a CSI driver", "livenessprobe": "a CSI driver", "aws-ebs-csi-driver": "a CSI driver", "gcp-compute-persistent-disk-csi-driver": "a CSI driver", "azuredisk-csi": "a CSI driver", "cephcsi": "a CSI driver", "longhorn-manager": "Longhorn",
	"k8s-device-plugin": "a device plugin", "falco": "Falco", "tetragon": "Tetragon", "datadog/agent": "the Datadog agent", "kube-bench": "kube-bench", "local-path-provisioner": "a provisioner",
}

// maxAgents is how many containers are asked for the name of an agent: it is asked for each of
// a workload's dangers, and a workload may have a danger for each of its containers.
const maxAgents = 50

// agentOf names the node agent that the image of one of the containers is called as.
func agentOf(w *kube.Workload) string {
	looked := 0
	for c := range each(w) {
		if looked++; looked > maxAgents {
			break
		}
		repo := parseImage(c.Image).repository
		if name := agents[path.Base(repo)]; name != "" {
			return name
		}
		if name := agents[path.Join(path.Base(path.Dir(repo)), path.Base(repo))]; name != "" {
			return name
		}
	}
	return ""
}

// image is a reference to an image, taken apart.
type image struct {
	registry   string // "docker.io" when none is named
	repository string // without the registry
	tag        string
	digest     string
}

func parseImage(ref string) image {
	var i image
	name := strings.TrimSpace(ref)
	name, i.digest, _ = strings.Cut(name, "@")
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		name, i.tag = name[:at], name[at+1:]
	}
	host, rest, ok := strings.Cut(name, "/")
	if ok && (strings.ContainsAny(host, ".:") || host == "localhost") {
		i.registry, i.repository = host, rest
		return i
	}
	i.registry, i.repository = "docker.io", name
	return i
}

// placeholder tells whether a text is not yet what will run: a variable that somebody
// fills in.
func placeholder(s string) bool { return s == "" || strings.ContainsAny(s, "${}<>") }
