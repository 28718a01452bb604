package workload

import (
	"fmt"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// userRules are about who runs in a container, and what they may become.
var userRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/run-as-root", Severity: medium, Title: "A container is told to run as root",
			Tags: []string{"cis:5.2.7", "pss:runAsUser", "attack:T1611", "kubelinter:run-as-non-root", "kubescape:C-0013"}, Fix: "run as a user of its own: runAsNonRoot: true and a runAsUser above 0",
			Why:   "root in the container is root on the node but for what the runtime takes away: files of the node that are mounted are its own, and most escapes begin with it. Medium: it is written down, so the image's own user does not count, and another flaw or mount is needed",
			Noise: "init containers that change owners of volumes run as root for a moment", Refs: []string{docsContext, docsPSS}},
		Workload: runsAsRoot,
	},
	{
		Rule: misconfig.Rule{ID: "workload/may-run-as-root", Severity: low, Title: "A container may run as root",
			Tags: []string{"cis:5.2.7", "pss:runAsNonRoot", "kubelinter:run-as-non-root", "kubescape:C-0013"}, Fix: "set runAsNonRoot: true, and runAsUser when the image names no user by number",
			Why:   "nothing says which user it is, so the image decides, and most run as root, which most escapes begin with. Low: it depends on the image, and another flaw or mount is needed",
			Noise: "the image has a user of its own: runAsNonRoot: true then changes nothing; images that are named nonroot, rootless or unprivileged are left out, and a fragment that names no image is told of with --hygiene alone", Refs: []string{docsContext, docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Windows() {
				return
			}
			for c := range each(w) {
				if user(w, c) == nil && mayBeRoot(w, c) && !c.Ephemeral && !hostProcessOf(w, c) && !namedNonRoot(c.Image) {
					hit := at(w, c, "neither runAsNonRoot: true nor runAsUser", "securityContext", "runAsNonRoot")
					if c.Image == "" { // a fragment, of which another file has the rest
						hit.Tags = []string{"hygiene"}
					}
					h.Add(hit)
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/root-group", Severity: low, Title: "A container's user is in root's group",
			Tags: []string{"cis:5.2.7", "kubelinter:run-as-non-root"}, Fix: "use a group above 0",
			Why:   "files of the node and the image that root's group may write are open to it. Low: few are",
			Noise: "OpenShift runs every container with group 0, and images are made for that", Refs: []string{docsContext}},
		Workload: rootGroup,
	},
	{
		Rule: misconfig.Rule{ID: "workload/privilege-escalation", Severity: low, Title: "A container is told that it may gain privileges",
			Tags: []string{"cis:5.2.6", "cis-docker:5.26", "pss:allowPrivilegeEscalation", "attack:T1548.001", "kubelinter:privilege-escalation-container", "kubescape:C-0016"}, Fix: "set allowPrivilegeEscalation: false",
			Why:   "set-uid programs of the image make root of any user in it. Low: it stays in the container, and is also what holds when nothing is said; here somebody asked for it",
			Noise: "programs that call sudo or set-uid helpers need it", Refs: []string{docsContext, docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) { escalation(h, w, true) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/privilege-escalation-unset", Severity: low, Hygiene: true, Title: "Nothing keeps a container from gaining privileges",
			Tags: []string{"cis:5.2.6", "cis-docker:5.26", "pss:allowPrivilegeEscalation", "kubescape:C-0016"}, Fix: "set allowPrivilegeEscalation: false",
			Why:   "set-uid programs of the image make root of any user in it. Hygiene: it is what every container has that nobody hardened",
			Noise: "programs that call sudo or set-uid helpers need it", Refs: []string{docsContext, docsPSS}},
		Workload: func(h *posture.Hits, w *kube.Workload) { escalation(h, w, false) },
	},
	{
		Rule: misconfig.Rule{ID: "workload/writable-root", Severity: low, Hygiene: true, Title: "A container can write to its own programs",
			Tags: []string{"cis-docker:5.13", "kubelinter:no-read-only-root-fs", "kubescape:C-0017"}, Fix: "set readOnlyRootFilesystem: true, with an emptyDir for each folder that is written",
			Why:   "who breaks in leaves tools behind and changes programs. Hygiene: it makes the next step easier, not possible",
			Noise: "many programs write beside themselves and need changes first", Refs: []string{docsContext}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			if w.Windows() {
				return
			}
			for c := range each(w) {
				if s := c.SecurityContext; !c.Ephemeral && (s == nil || !yes(s.ReadOnlyRootFilesystem)) {
					h.Add(at(w, c, "readOnlyRootFilesystem is not true", "securityContext", "readOnlyRootFilesystem"))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/debug-container", Severity: low, Title: "Somebody has put a debug container into a running pod",
			Tags: []string{"attack:T1609"}, Fix: "delete the pod: its controller makes one without it",
			Why:   "an ephemeral container stays until the pod ends, with its tools and often more rights than the rest. Low: who put it there had the right to",
			Noise: "somebody is debugging right now", Refs: []string{"https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/"}},
		Workload: debugContainers,
	},
}

// namedNonRoot tells whether an image says by its name that it does not run as root.
func namedNonRoot(ref string) bool {
	i := parseImage(ref)
	return strings.Contains(i.tag, "nonroot") || strings.Contains(i.tag, "rootless") || strings.HasSuffix(i.repository, "-unprivileged") || strings.HasSuffix(i.repository, "-nonroot") || strings.HasSuffix(i.repository, "-rootless")
}

func runsAsRoot(h *posture.Hits, w *kube.Workload) {
	if ownUsers(w) {
		return
	}
	for c := range each(w) {
		own := c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil
		switch u := user(w, c); {
		case u == nil && no(nonRoot(w, c)) && c.SecurityContext != nil && no(c.SecurityContext.RunAsNonRoot):
			hit := at(w, c, "runAsNonRoot: false", "securityContext", "runAsNonRoot")
			hit.Severity = low
			h.Add(hit)
		case u != nil && *u == 0 && own:
			h.Add(rootHit(w, c, at(w, c, "runAsUser: 0", "securityContext", "runAsUser")))
		case u != nil && *u == 0:
			h.Add(rootHit(w, c, posture.Hit{Object: w.Object, Path: w.Path("securityContext", "runAsUser"), Evidence: "container " + c.Name + ": runAsUser: 0 of the pod"}))
		}
		if s := c.SecurityContext; s != nil && s.WindowsOptions != nil && s.WindowsOptions.RunAsUserName != nil && strings.EqualFold(*s.WindowsOptions.RunAsUserName, "ContainerAdministrator") {
			hit := at(w, c, "runAsUserName: ContainerAdministrator", "securityContext", "windowsOptions", "runAsUserName")
			hit.Severity = low
			h.Add(hit)
		}
	}
}

// rootHit is less where the container ends before the others begin.
func rootHit(w *kube.Workload, c *kube.Container, hit posture.Hit) posture.Hit {
	if c.Init && !c.Sidecar() {
		hit.Severity = low
		hit.Evidence += " (an init container)"
	}
	return hit
}

func rootGroup(h *posture.Hits, w *kube.Workload) {
	if ownUsers(w) || w.Windows() {
		return
	}
	if s := w.Spec.SecurityContext; s != nil && (s.RunAsUser == nil || *s.RunAsUser != 0) {
		if s.RunAsGroup != nil && *s.RunAsGroup == 0 {
			h.Add(inPod(w, "runAsGroup: 0", "securityContext", "runAsGroup"))
		}
		if s.FSGroup != nil && *s.FSGroup == 0 {
			h.Add(inPod(w, "fsGroup: 0", "securityContext", "fsGroup"))
		}
		for i, g := range s.SupplementalGroups {
			if g == 0 {
				h.Add(inPod(w, "supplementalGroups has 0", "securityContext", "supplementalGroups", i))
			}
		}
	}
	for c := range each(w) {
		if s := c.SecurityContext; s != nil && s.RunAsGroup != nil && *s.RunAsGroup == 0 {
			if u := user(w, c); u == nil || *u != 0 {
				h.Add(at(w, c, "runAsGroup: 0", "securityContext", "runAsGroup"))
			}
		}
	}
}

// escalation tells of containers that say that they may gain privileges, or say nothing.
func escalation(h *posture.Hits, w *kube.Workload, said bool) {
	if w.Windows() {
		return
	}
	for c := range each(w) {
		s := c.SecurityContext
		explicit := s != nil && s.AllowPrivilegeEscalation != nil
		if explicit != said || explicit && !*s.AllowPrivilegeEscalation || !said && privileged(c) {
			continue
		}
		evidence := "allowPrivilegeEscalation is not set"
		if said {
			evidence = fmt.Sprintf("allowPrivilegeEscalation: %t", *s.AllowPrivilegeEscalation)
		}
		hit := at(w, c, evidence, "securityContext", "allowPrivilegeEscalation")
		// Kubernetes refuses false beside what always has the rights.
		if !privileged(c) && adds(c, "SYS_ADMIN") < 0 && adds(c, "ALL") < 0 {
			hit.Edits = []kube.Edit{kube.Put(false, hit.Path...)}
		}
		h.Add(hit)
	}
}

func debugContainers(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		if c.Ephemeral {
			h.Add(at(w, c, "an ephemeral container of image "+c.Image))
		}
	}
	for _, p := range w.Pods {
		for i, c := range p.Root.Get("spec", "ephemeralContainers").Items() {
			h.Add(posture.Hit{Object: w.Object, Path: []any{"spec"}, Evidence: "pod " + p.Name + ": ephemeral container " + c.Get("name").Text() + " of image " + c.Get("image").Text()})
			if i > 5 {
				break
			}
		}
	}
}

// hostProcessOf tells whether a container is a process of a Windows node, which has no user
// of Linux.
func hostProcessOf(w *kube.Workload, c *kube.Container) bool {
	if s := c.SecurityContext; s != nil && s.WindowsOptions != nil && s.WindowsOptions.HostProcess != nil {
		return *s.WindowsOptions.HostProcess
	}
	s := w.Spec.SecurityContext
	return s != nil && s.WindowsOptions != nil && yes(s.WindowsOptions.HostProcess)
}
