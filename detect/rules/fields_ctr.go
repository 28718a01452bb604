package rules

import (
	"maps"
	"slices"
	"strings"

	"bulwark"
)

const onHost = "host" // what fields of containers say of processes that are in none

// containerFields are those of the container that a process is in. All but id and name are missing outside of containers.
func containerFields() []Field {
	of := bulwark.SourceSyscall
	c := func(f func(*bulwark.Container) string) func(string) (getter, error) {
		return text(func(v *event) (string, bool) {
			if !contained(v) {
				return "", false
			}
			s := f(v.p.Container)
			return s, s != ""
		})
	}
	b := func(f func(*bulwark.Container) bool) func(string) (getter, error) {
		return flag(func(v *event) (bool, bool) { return contained(v) && f(v.p.Container), contained(v) })
	}
	return []Field{
		{Name: "container.id", Type: Text, Source: of, Doc: "first 12 digits of its id; host outside of containers", bind: text(func(v *event) (string, bool) { return containerID(v), v.p != nil })},
		{Name: "container.full_id", Type: Text, Source: of, Doc: "its id", bind: c(func(c *bulwark.Container) string { return c.ID })},
		{Name: "container.name", Type: Text, Source: of, Doc: "its name; host outside of containers", bind: text(func(v *event) (string, bool) {
			if v.p != nil && v.p.Container == nil {
				return onHost, true
			}
			return name(v), name(v) != ""
		})},
		{Name: "container.image", Type: Text, Source: of, Doc: "its image, as it was asked for", bind: c(func(c *bulwark.Container) string { return c.Image })},
		{Name: "container.image.id", Type: Text, Source: of, Doc: "id of the image", bind: c(func(c *bulwark.Container) string { return strings.TrimPrefix(c.ImageID, "sha256:") })},
		{Name: "container.image.repository", Type: Text, Source: of, Doc: "the image without tag and digest", bind: c(func(c *bulwark.Container) string { r, _ := splitImage(c.Image); return r })},
		{Name: "container.image.tag", Type: Text, Source: of, Doc: "tag of the image", bind: c(func(c *bulwark.Container) string { _, t := splitImage(c.Image); return t })},
		{Name: "container.image.digest", Type: Text, Source: of, Doc: "digest of the image's manifest", bind: c(func(c *bulwark.Container) string { return c.Digest })},
		{Name: "container.type", Type: Text, Source: of, Doc: "its engine: docker, containerd, cri-o, podman, runc", bind: c(func(c *bulwark.Container) string { return c.Engine })},
		{Name: "container.privileged", Type: Bool, Source: of, Doc: "whether it is privileged", bind: b(func(c *bulwark.Container) bool { return c.Privileged })},
		{Name: "container.host_pid", Type: Bool, Source: of, Doc: "whether it shares the node's pid namespace", bind: b(func(c *bulwark.Container) bool { return c.HostPID })},
		{Name: "container.host_network", Type: Bool, Source: of, Doc: "whether it shares the node's network", bind: b(func(c *bulwark.Container) bool { return c.HostNetwork })},
		{Name: "container.host_ipc", Type: Bool, Source: of, Doc: "whether it shares the node's IPC namespace", bind: b(func(c *bulwark.Container) bool { return c.HostIPC })},
		{Name: "container.start_ts", Type: Time, Source: of, Doc: "when it started", bind: num(func(v *event) (int64, bool) {
			if !contained(v) {
				return 0, false
			}
			return v.p.Container.Started, v.p.Container.Started != 0
		})},
		{Name: "container.duration", Type: Span, Source: of, Doc: "nanoseconds since it started", bind: num(func(v *event) (int64, bool) {
			if !contained(v) || v.p.Container.Started == 0 {
				return 0, false
			}
			return max(v.Time-v.p.Container.Started, 0), true
		})},
		{Name: "container.ip", Type: Text, Source: of, Doc: "its address", bind: c(func(c *bulwark.Container) string { return c.IP })},
		{Name: "container.label", Type: Text, Arg: DotOrKey, Source: of, Doc: "value of the label behind the dot or in brackets", bind: label(func(v *event) map[string]string {
			if !contained(v) {
				return nil
			}
			return v.p.Container.Labels
		})},
		{Name: "container.labels", Type: Text, Source: of, Doc: "all labels: name:value, with commas between", bind: labels(func(v *event) map[string]string {
			if !contained(v) {
				return nil
			}
			return v.p.Container.Labels
		})},
		{Name: "container.info", Type: Text, Source: of, Doc: "container.id and container.name together, for old outputs", bind: joinedField(func(v *event, b []byte) ([]byte, bool) {
			b = append(append(b, "container_id="...), containerID(v)...)
			return append(append(b, " container_name="...), name(v)...), v.p != nil
		})},
		{Name: "container.healthcheck", Type: Text, Source: of, Doc: "no event has it: engines are not asked for probes", bind: absent(Text)},
		{Name: "container.liveness_probe", Type: Text, Source: of, Doc: "no event has it", bind: absent(Text)},
		{Name: "container.readiness_probe", Type: Text, Source: of, Doc: "no event has it", bind: absent(Text)},
		{Name: "container.cni.json", Type: Text, Source: of, Doc: "no event has it", bind: absent(Text)},
	}
}

func contained(v *event) bool { return v.p != nil && v.p.Container != nil }

func containerID(v *event) string {
	if !contained(v) {
		return onHost
	}
	return v.p.Container.ShortID()
}

func name(v *event) string {
	if !contained(v) {
		return onHost
	}
	return v.p.Container.Name
}

// splitImage parts a reference into repository and tag.
func splitImage(ref string) (repository, tag string) {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i], ref[i+1:]
	}
	return ref, ""
}

func label(of func(*event) map[string]string) func(string) (getter, error) {
	return func(name string) (getter, error) {
		return getter{text: func(v *event) (string, bool) {
			s, ok := of(v)[name]
			return s, ok
		}}, nil
	}
}

func labels(of func(*event) map[string]string) func(string) (getter, error) {
	return joinedField(func(v *event, b []byte) ([]byte, bool) {
		m := of(v)
		for i, k := range slices.Sorted(maps.Keys(m)) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(append(append(b, k...), ':'), m[k]...)
		}
		return b, len(m) > 0
	})
}

// podFields are those of the pod that a container is in.
func podFields() []Field {
	of := bulwark.SourceSyscall
	p := func(f func(*bulwark.PodRef) string) func(string) (getter, error) {
		return text(func(v *event) (string, bool) {
			if !contained(v) || v.p.Container.Pod == nil {
				return "", false
			}
			s := f(v.p.Container.Pod)
			return s, s != ""
		})
	}
	podLabels := func(v *event) map[string]string {
		if !contained(v) || v.p.Container.Pod == nil {
			return nil
		}
		return v.p.Container.Pod.Labels
	}
	list := []Field{
		{Name: "k8s.pod.name", Type: Text, Source: of, Doc: "name of the pod", bind: p(func(p *bulwark.PodRef) string { return p.Name })},
		{Name: "k8s.ns.name", Type: Text, Source: of, Doc: "namespace of the pod", bind: p(func(p *bulwark.PodRef) string { return p.Namespace })},
		{Name: "k8s.pod.id", Type: Text, Source: of, Doc: "the same as k8s.pod.uid", bind: p(func(p *bulwark.PodRef) string { return p.UID })},
		{Name: "k8s.pod.uid", Type: Text, Source: of, Doc: "uid of the pod", bind: p(func(p *bulwark.PodRef) string { return p.UID })},
		{Name: "k8s.pod.sandbox_id", Type: Text, Source: of, Doc: "first 12 digits of the id of the pod's sandbox", bind: p(func(p *bulwark.PodRef) string { return p.Sandbox[:min(len(p.Sandbox), 12)] })},
		{Name: "k8s.pod.full_sandbox_id", Type: Text, Source: of, Doc: "id of the pod's sandbox", bind: p(func(p *bulwark.PodRef) string { return p.Sandbox })},
		{Name: "k8s.pod.ip", Type: Text, Source: of, Doc: "address of the pod", bind: p(func(p *bulwark.PodRef) string { return p.IP })},
		{Name: "k8s.pod.label", Type: Text, Arg: DotOrKey, Source: of, Doc: "value of the pod's label behind the dot or in brackets", bind: label(podLabels)},
		{Name: "k8s.pod.labels", Type: Text, Source: of, Doc: "all labels of the pod: name:value, with commas between", bind: labels(podLabels)},
		{Name: "k8s.pod.cni.json", Type: Text, Source: of, Doc: "no event has it", bind: absent(Text)},
	}
	for _, kind := range []string{"rc", "svc", "ns", "rs", "deployment"} {
		for _, what := range []string{"name", "id", "labels"} {
			if n := "k8s." + kind + "." + what; n != "k8s.ns.name" {
				list = append(list, Field{Name: n, Type: Text, Source: of, Doc: "no event has it: of old rules only", bind: absent(Text)})
			}
		}
		list = append(list, Field{Name: "k8s." + kind + ".label", Type: Text, Arg: DotOrKey, Source: of, Doc: "no event has it: of old rules only", bind: absent(Text)})
	}
	return list
}
