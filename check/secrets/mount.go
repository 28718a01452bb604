package secrets

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var mountRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "secrets/env", Severity: low, Hygiene: true, Title: "A Secret is handed over in variables",
			Tags:  []string{"sec:SEC01", "cis:5.4.1", "kubelinter:read-secret-from-env-var", "kubescape:C-0207", "attack:T1552.007"},
			Fix:   "mount the Secret as a file, or have a CSI driver do it",
			Why:   "variables are inherited by every child process, end up in crash reports and debug pages, and stay as they were when the secret is replaced. Low, because it takes a second mistake to leak them",
			Noise: "programs that read their password from a variable alone",
			Refs:  []string{practices}},
		Workload: inVariables,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/every-container", Severity: low, Hygiene: true, Title: "Every container of a pod has the Secret",
			Tags:  []string{"sec:SEC03"},
			Fix:   "mount the Secret in the one container that needs it",
			Why:   "a proxy or log shipper that is taken over gives away what it had no use for",
			Noise: "containers that all do need it, as the replicas of one program",
			Refs:  []string{practices}},
		Workload: everyContainer,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/subpath", Severity: low, Hygiene: true, Title: "A mounted Secret never changes (subPath)",
			Tags:  []string{"sec:SEC04"},
			Fix:   "mount the whole volume in a folder of its own, and pick keys with items",
			Why:   "what is mounted with subPath is not brought up to date: a secret that was replaced, because it leaked, is used on until the pod is restarted",
			Noise: "secrets that are replaced by a new rollout anyway",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/volumes/#using-subpath"}},
		Workload: subPath,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/file-mode", Severity: low, Hygiene: true, Title: "Every user in the container may read the Secret's files",
			Tags:  []string{"sec:SEC05"},
			Fix:   "defaultMode: 0400 for the user that runs as root, 0440 with fsGroup",
			Why:   "without a mode the files are 0644: whatever runs in the container, as whichever user, reads them",
			Noise: "containers with a single user, which is most of them: the mode then keeps nobody out",
			Refs:  []string{"https://kubernetes.io/docs/concepts/configuration/secret/#secret-files-permissions"}},
		Workload: fileMode,
	},
	{
		Rule: misconfig.Rule{ID: "secrets/token-lifetime", Severity: low, Title: "A service account token is good for more than a day, or for everybody",
			Tags:  []string{"sec:SEC24", "attack:T1528"},
			Fix:   "expirationSeconds: 3600, and the one audience that the token is meant for",
			Why:   "a token that was stolen works until it expires; * as audience is no name that the API server knows, and says to services that check tokens themselves that it is for all of them. The kubelet renews it in time, however short. Low, because it must be stolen first",
			Noise: "programs that read the token once, when they start",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken"}},
		Workload: func(h *posture.Hits, w *kube.Workload) { tokenLifetime(h, w, 86400) },
	},
	{
		Rule: misconfig.Rule{ID: "secrets/token-hours", Severity: low, Hygiene: true, Title: "A service account token is good for more than an hour",
			Tags:  []string{"sec:SEC24"},
			Fix:   "expirationSeconds: 3600",
			Why:   "the kubelet renews tokens in time, so that longer ones serve nobody but a thief",
			Noise: "identities of clouds ask for a day, as their own documentation does",
			Refs:  []string{"https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken"}},
		Workload: func(h *posture.Hits, w *kube.Workload) { tokenLifetime(h, w, 3607) },
	},
}

func inVariables(h *posture.Hits, w *kube.Workload) {
	for i := range w.Containers {
		c := &w.Containers[i]
		var names []string
		first := []any{"env"}
		for j, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
				if names = append(names, e.Name); len(names) == 1 {
					first = []any{"env", j}
				}
			}
		}
		if len(names) > 0 {
			h.Container(w, c, first, "from Secrets come "+enumerate(names))
		}
		for j, e := range c.EnvFrom {
			if e.SecretRef != nil {
				h.Container(w, c, []any{"envFrom", j}, "all keys of the Secret "+e.SecretRef.Name)
			}
		}
	}
}

// enumerate names the first few.
func enumerate(names []string) string {
	if len(names) > mostNamed {
		return strings.Join(names[:mostNamed], ", ") + fmt.Sprintf(" and %d more", len(names)-mostNamed)
	}
	return strings.Join(names, ", ")
}

// secretVolumes gives the pod's volumes that are a Secret, by position.
func secretVolumes(w *kube.Workload) []int {
	var list []int
	for i := range w.Spec.Volumes {
		if w.Spec.Volumes[i].Secret != nil {
			list = append(list, i)
		}
	}
	return list
}

func everyContainer(h *posture.Hits, w *kube.Workload) {
	if len(w.Spec.Containers) < 2 {
		return
	}
	for _, i := range secretVolumes(w) {
		v := &w.Spec.Volumes[i]
		all := !slices.ContainsFunc(w.Spec.Containers, func(c corev1.Container) bool { return !mounts(&c, v.Name) })
		if all {
			h.Pod(w, []any{"volumes", i}, fmt.Sprintf("all %d containers mount the Secret %s", len(w.Spec.Containers), v.Secret.SecretName))
		}
	}
}

func mounts(c *corev1.Container, volume string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == volume })
}

func subPath(h *posture.Hits, w *kube.Workload) {
	for _, v := range secretVolumes(w) {
		for i := range w.Containers {
			c := &w.Containers[i]
			for j, m := range c.VolumeMounts {
				if m.Name == w.Spec.Volumes[v].Name && (m.SubPath != "" || m.SubPathExpr != "") {
					h.Container(w, c, []any{"volumeMounts", j}, "the Secret "+w.Spec.Volumes[v].Secret.SecretName+" at "+m.MountPath+" is mounted with subPath")
				}
			}
		}
	}
}

func fileMode(h *posture.Hits, w *kube.Workload) {
	for _, i := range secretVolumes(w) {
		s := w.Spec.Volumes[i].Secret
		mode := int32(0o644)
		if s.DefaultMode != nil {
			mode = *s.DefaultMode
		}
		if mode&0o007 == 0 || w.Windows() {
			continue
		}
		var edits []kube.Edit
		if sc := w.Spec.SecurityContext; sc != nil && sc.FSGroup != nil {
			edits = append(edits, kube.Put(0o440, w.Path("volumes", i, "secret", "defaultMode")...))
		}
		h.Pod(w, []any{"volumes", i, "secret", "defaultMode"}, fmt.Sprintf("the Secret %s has the mode %04o", s.SecretName, mode), edits...)
	}
}

func tokenLifetime(h *posture.Hits, w *kube.Workload, most int64) {
	for i := range w.Spec.Volumes {
		p := w.Spec.Volumes[i].Projected
		if p == nil {
			continue
		}
		for j := range p.Sources {
			t := p.Sources[j].ServiceAccountToken
			if t == nil {
				continue
			}
			path := []any{"volumes", i, "projected", "sources", j, "serviceAccountToken"}
			if s := t.ExpirationSeconds; s != nil && *s > most && (most >= 86400 || *s <= 86400) {
				h.Pod(w, append(path, "expirationSeconds"), fmt.Sprintf("the token at %s is good for %s", t.Path, duration(*s)), kube.Put(3600, w.Path(append(path, "expirationSeconds")...)...))
			}
			if t.Audience == "*" && most >= 86400 {
				h.Pod(w, append(path, "audience"), "the token at "+t.Path+" has * as its audience")
			}
		}
	}
}

func duration(seconds int64) string {
	if seconds < 2*86400 {
		return fmt.Sprintf("%d hours", seconds/3600)
	}
	return fmt.Sprintf("%d days", seconds/86400)
}
