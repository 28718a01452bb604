package workload

import (
	"path"
	"slices"
	"strings"

	"bulwark/check/internal/posture"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

var (
	kernelCalls = lazyregexp.New(`\|[^\n>]{0,100}>\s*\S*/core_pattern\b|>\s*\S*/(?:release_agent|uevent_helper)\b`)
	runsOutside = lazyregexp.New(`\b(?:docker|podman|nerdctl)\b[^;|\n]{0,120}\b(?:run|create)\b[^;|\n]{0,200}(?:--privileged|(?:-v|--volume)[= ]?/:|--pid[= ]host)`)
	mountsDisk  = lazyregexp.New(`\bmount\s+(?:-\S+\s+\S+\s+)*/dev/\S+\s+(/[^\s;&|]*)`)
	writesTo    = lazyregexp.New(`(?:>>?\s*|\btee\s+(?:-a\s+)?|\b(?:cp|mv|install)\s+(?:-\w+\s+)*[^\s;&|]+\s+)["']?(/[^\s;&|"']+)`)
)

// stepWords are parts of which one is in every command that steps out to the node without
// nsenter and chroot.
var stepWords = []string{"core_pattern", "release_agent", "uevent_helper", " run ", " create ", "mount ", ">", "tee ", "cp ", "mv ", "install "}

// stepsOut finds other commands that do something as the node: by the kernel's helpers, its
// disk, its runtime or files that it obeys.
func stepsOut(h *posture.Hits, w *kube.Workload, s *script) {
	if !containsAny(s.text, stepWords) {
		return
	}
	mounts := slices.ContainsFunc(hostMounts(h.Set, w), func(m hostMount) bool { return m.c == s.c && !m.readOnly })
	add := func(text string, possible bool) {
		hit := at(w, s.c, text, s.path...)
		if !possible {
			hit.Severity = low
		}
		danger(h, w, hit)
	}
	mighty := privileged(s.c) || adds(s.c, "SYS_ADMIN") >= 0 || adds(s.c, "ALL") >= 0
	if m := kernelCalls.FindString(s.text); m != "" {
		add(m+", whose value the kernel runs as the node's root", mighty || unmasked(s.c) || mountsPlace(h.Set, w, s.c, "proc", "proc-setting", "sys", "cgroup", "root"))
	}
	if m := runsOutside.FindString(s.text); m != "" {
		add(m, mountsPlace(h.Set, w, s.c, ""))
	}
	if m := mountsDisk.FindStringSubmatch(s.text); m != nil && strings.Contains(s.text, "chroot "+m[1]) {
		add(m[0]+", and chroot into it", mighty)
	}
	if !mounts {
		return
	}
	for _, m := range writesTo.FindAllStringSubmatch(s.text, 50) {
		if node := nodePath(h.Set, w, s.c, m[1]); node != "" && obeyed(node) {
			add(m[0]+", which is the node's "+node, true)
		}
	}
}

func containsAny(text string, words []string) bool {
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func unmasked(c *kube.Container) bool {
	return c.SecurityContext != nil && c.SecurityContext.ProcMount != nil && *c.SecurityContext.ProcMount == "Unmasked"
}

// mountsPlace tells whether a container has one of the places of the node writable; "" is a
// runtime's socket.
func mountsPlace(s *kube.Set, w *kube.Workload, c *kube.Container, names ...string) bool {
	for _, m := range hostMounts(s, w) {
		i := m.place
		if m.c != c || i < 0 || m.readOnly && i < len(places) {
			continue
		}
		for _, name := range names {
			if i == len(places) && name == "" || i < len(places) && places[i].name == name {
				return true
			}
		}
	}
	return false
}

// nodePath is the node's path that one in a container is, where it can be written.
func nodePath(s *kube.Set, w *kube.Workload, c *kube.Container, p string) string {
	found, length := "", 0
	for _, m := range hostMounts(s, w) {
		mounted := path.Clean(m.mounted)
		if m.c == c && !m.readOnly && within(p, mounted) && len(mounted) > length {
			found, length = path.Join(m.host, strings.TrimPrefix(p, mounted)), len(mounted)
		}
	}
	return found
}

// obeyed tells whether a file of the node says what runs there, or who may log in.
func obeyed(p string) bool {
	if strings.HasSuffix(p, "/authorized_keys") {
		return true
	}
	i := placeOf(p)
	if i < 0 || i == len(places) {
		return false
	}
	switch places[i].name {
	case "cron", "systemd":
		return true
	case "control-plane":
		return strings.Contains(p, "/manifests/")
	case "etc":
		return containsAny(p, []string{"/passwd", "/shadow", "/sudoers", "/ld.so.preload", "/rc.local", "/profile"})
	}
	return false
}

// behindProcess tells whether a path is the root folder of the first process.
func behindProcess(p string) bool { return strings.TrimRight(p, `/"';`) == "/proc/1/root" }
