package secrets

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark/check/internal/posture"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

// commands are those that take a password behind a flag of one letter.
var commands = []struct {
	word string
	find *lazyregexp.Regexp
}{
	{"mysql", lazyregexp.New(`\bmysql(?:dump|admin|check|import)?\b[^;|&\n]{0,200}\s-p([^\s"';&|$]+)`)},
	{"mariadb", lazyregexp.New(`\bmariadb(?:-dump|-admin)?\b[^;|&\n]{0,200}\s-p([^\s"';&|$]+)`)},
	{"redis-cli", lazyregexp.New(`\bredis-cli\b[^;|&\n]{0,200}\s-a\s+["']?([^\s"';&|$]+)`)},
	{"sshpass", lazyregexp.New(`\bsshpass\s+-p\s*["']?([^\s"';&|$]+)`)},
	{"curl", lazyregexp.New(`\bcurl\b[^;|&\n]{0,300}\s(?:-u\s*|--user[ =])["']?[^\s:"'$]+:([^\s"'$]+)`)},
}

// mostCommand is how much of a container's command is looked at.
const mostCommand = 64 << 10

// inWorkload looks at what the settings of a workload do not have: passwords behind short
// flags, and headers of probes and hooks.
func inWorkload(h *posture.Hits, w *kube.Workload) {
	for i := range w.Containers {
		c := &w.Containers[i]
		text := command(c)
		for _, known := range commands {
			if !strings.Contains(text, known.word) {
				continue
			}
			if m := known.find.FindStringSubmatch(text); m != nil && literal("password", m[1]) {
				field := "args"
				if len(c.Args) == 0 {
					field = "command"
				}
				h.Container(w, c, []any{field}, "the command "+known.word+" has a password in it")
			}
		}
		headers(h, w, c)
	}
}

// command is what a container runs, on one line; "" when that is long: aliases may say a text
// very often.
func command(c *kube.Container) string {
	size := 0
	for _, list := range [][]string{c.Command, c.Args} {
		for _, s := range list {
			size += len(s) + 1
		}
	}
	if size == 0 || size > mostCommand {
		return ""
	}
	return strings.Join(c.Command, " ") + " " + strings.Join(c.Args, " ")
}

// headers looks at those that the kubelet sends with probes and hooks.
func headers(h *posture.Hits, w *kube.Workload, c *kube.Container) {
	look := func(get *corev1.HTTPGetAction, path ...any) {
		if get == nil {
			return
		}
		for i, header := range get.HTTPHeaders {
			scheme, rest, ok := strings.Cut(header.Value, " ")
			if !ok {
				scheme, rest = "", header.Value
			}
			switch {
			case len(rest) < 8, strings.ContainsAny(rest, "${}<> "):
			case strings.EqualFold(header.Name, "Authorization") && (strings.EqualFold(scheme, "Basic") || strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Token")),
				scheme == "" && named(header.Name) == sure && literal(header.Name, rest):
				h.Container(w, c, append(path, "httpGet", "httpHeaders", i), "the header "+header.Name+" of a probe has its value written down")
			}
		}
	}
	for _, p := range []struct {
		name  string
		probe *corev1.Probe
	}{{"livenessProbe", c.LivenessProbe}, {"readinessProbe", c.ReadinessProbe}, {"startupProbe", c.StartupProbe}} {
		if p.probe != nil {
			look(p.probe.HTTPGet, p.name)
		}
	}
	if l := c.Lifecycle; l != nil && l.PostStart != nil {
		look(l.PostStart.HTTPGet, "lifecycle", "postStart")
	}
	if l := c.Lifecycle; l != nil && l.PreStop != nil {
		look(l.PreStop.HTTPGet, "lifecycle", "preStop")
	}
}
