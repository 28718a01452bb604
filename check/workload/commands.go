package workload

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
)

// commandRules are about what containers run.
var commandRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/reverse-shell", Severity: critical, Title: "A container gives a shell to the network",
			Tags: []string{"attack:T1059.004", "attack:T1095"}, Fix: "delete the workload, and find out who made it and what it reached",
			Why:   "its command connects a shell to another machine or a port: nothing in production does that, which makes it critical",
			Noise: "exercises and tests of detection do it on purpose", Refs: []string{"https://attack.mitre.org/techniques/T1059/004/"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			anywhere(h, s, reverseShell, "a shell that is connected to the network")
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/node-shell", Severity: critical, Title: "A container's command steps out onto the node",
			Tags: []string{"attack:T1611", "edge:CE_NSENTER"}, Fix: "run it on the node by its own means, or as a program that needs no shell there",
			Why:   "nsenter into process 1, chroot into the node's root folder or disk, a program named to the kernel (core_pattern, release_agent), a line in the node's cron or authorized_keys is the escape itself, written down (critical where the pods have what it needs, else low)",
			Noise: "installers that set up nodes do it on purpose, and deserve an exception with an owner", Refs: []string{attackEscape}},
		Workload: nodeShell,
	},
	{
		Rule: misconfig.Rule{ID: "workload/download-and-run", Severity: high, Title: "A container runs what it downloads when it starts",
			Tags: []string{"attack:T1105", "attack:T1059.004"}, Fix: "put the program into the image, and check its digest when the image is built",
			Why:   "who has that server, or the way to it where it is plain http, runs programs in the cluster at the next start, past every scan of the image. High where it goes into a shell as it comes, medium where a file is kept that nothing checks",
			Noise: "quick tests; a sum that is compared in another script", Refs: []string{"https://attack.mitre.org/techniques/T1105/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			matching(h, w, downloads, "a download that is piped into a shell")
			for _, s := range scriptsOf(h.Set, w) {
				if text := unchecked(s.text); text != "" && downloads(s.text) == "" {
					hit := at(w, s.c, "a download that is made to run, and nothing checks it: "+text, s.path...)
					hit.Severity = medium
					h.Add(hit)
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/hidden-command", Severity: high, Title: "A container runs a command that is written so that nobody reads it",
			Tags: []string{"attack:T1027", "attack:T1140", "attack:T1059.004"}, Fix: "decode it and read it; write what is needed in clear text, or into the image",
			Why:   "a script in base64 or hex that goes into a shell is how intruders get theirs past people and policies; whoever reviews the manifest approves what he cannot read",
			Noise: "scripts that were encoded to get around quoting", Refs: []string{"https://attack.mitre.org/techniques/T1027/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			matching(h, w, hidden, "a command that is decoded and run")
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/miner", Severity: critical, Title: "A container mines cryptocurrency",
			Tags: []string{"attack:T1496"}, Fix: "delete the workload, and find out who made it and by what right",
			Why:   "its image or command is a known miner's: somebody else uses the cluster, and got in by some way that is still open",
			Noise: "people who mine on purpose", Refs: []string{"https://attack.mitre.org/techniques/T1496/"}},
		Set: func(h *posture.Hits, s *kube.Set) {
			for _, w := range s.Workloads() {
				for c := range each(w) {
					if mines(c.Image) != "" {
						h.Add(at(w, c, "image "+c.Image, "image"))
					}
				}
			}
			anywhere(h, s, mines, "a miner")
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/idle-privileged", Severity: medium, Title: "A container with rights over the node only waits to be entered",
			Tags: []string{"attack:T1609", "attack:T1611"}, Fix: "delete it; debug nodes with kubectl debug, which leaves after use",
			Why:   "it sleeps, with rights that lead out to the node: it is a door for whoever may exec into pods. Medium: the rights have findings of their own",
			Noise: "a pause container that keeps a mount or image in place", Refs: []string{"https://attack.mitre.org/techniques/T1609/"}},
		Workload: idle,
	},
	{
		Rule: misconfig.Rule{ID: "workload/ssh-server", Severity: low, Title: "A container offers SSH",
			Tags: []string{"attack:T1021.004", "kubelinter:ssh-port", "kubescape:C-0042"}, Fix: "take the SSH server out; kubectl exec does the same with the cluster's own rights and records",
			Why:   "it is a login past the cluster's rights and audit log, with keys or passwords of its own. Low: told by the port or the command alone",
			Noise: "Git servers and SFTP servers are there to be reached by SSH", Refs: []string{"https://attack.mitre.org/techniques/T1021/004/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for c := range each(w) {
				if line := append(c.Command[:len(c.Command):len(c.Command)], c.Args...); len(line) > 0 && (path.Base(line[0]) == "sshd" || path.Base(line[0]) == "dropbear") {
					h.Add(at(w, c, "its command is "+line[0]))
				}
				for i, p := range c.Ports {
					if p.ContainerPort == 22 && p.Protocol != corev1.ProtocolUDP {
						h.Add(at(w, c, "containerPort: 22", "ports", i, "containerPort"))
					}
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/installs-at-start", Severity: low, Hygiene: true, Title: "A container installs packages when it starts",
			Tags: []string{"attack:T1105"}, Fix: "install them when the image is built",
			Why:   "what runs is not what was scanned, and starts fail when the server is away. Hygiene: packages come signed from where images get them too",
			Noise: "development environments", Refs: []string{docsImages}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			matching(h, w, installs, "packages are installed when it starts")
		},
	},
}

// mostScript is how much of a container's commands is looked at.
const mostScript = 64 << 10

// script is a command that a container runs, with where it stands.
type script struct {
	c    *kube.Container
	path []any
	text string
}

// scripts are all commands of a workload: those of containers, of hooks and of probes.
func scripts(w *kube.Workload) []script {
	var list []script
	for c := range each(w) {
		if len(c.Command)+len(c.Args) > 0 {
			field := "command"
			if len(c.Command) == 0 || len(c.Args) > 0 && len(c.Args[len(c.Args)-1]) > 8 {
				field = "args"
			}
			list = append(list, script{c, []any{field}, joined(c.Command, c.Args)})
		}
		add := func(a *corev1.ExecAction, path ...any) {
			if a != nil && len(a.Command) > 0 {
				list = append(list, script{c, append(path, "exec", "command"), joined(a.Command)})
			}
		}
		if l := c.Lifecycle; l != nil && l.PostStart != nil {
			add(l.PostStart.Exec, "lifecycle", "postStart")
		}
		if l := c.Lifecycle; l != nil && l.PreStop != nil {
			add(l.PreStop.Exec, "lifecycle", "preStop")
		}
		if p := c.LivenessProbe; p != nil {
			add(p.Exec, "livenessProbe")
		}
		if p := c.ReadinessProbe; p != nil {
			add(p.Exec, "readinessProbe")
		}
		if p := c.StartupProbe; p != nil {
			add(p.Exec, "startupProbe")
		}
	}
	return list
}

func joined(lists ...[]string) string {
	var b strings.Builder
	for _, list := range lists {
		for _, s := range list {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			if b.Len()+len(s) > mostScript {
				return b.String()
			}
			b.WriteString(s)
		}
	}
	return b.String()
}

// matching tells of commands in which find finds something.
func matching(h *posture.Hits, w *kube.Workload, find func(string) string, what string) {
	for _, s := range scriptsOf(h.Set, w) {
		if text := find(s.text); text != "" {
			h.Add(at(w, s.c, what+": "+text, s.path...))
		}
	}
}

// anywhere tells of commands in which find finds something, of variables that may be run as
// one, and of scripts in ConfigMaps.
func anywhere(h *posture.Hits, s *kube.Set, find func(string) string, what string) {
	for _, w := range s.Workloads() {
		matching(h, w, find, what)
		for c := range each(w) {
			for i := range c.Env {
				if v := c.Env[i].Value; len(v) > 12 && len(v) < mostScript && find(v) != "" {
					h.Add(at(w, c, "the variable "+c.Env[i].Name+" has "+what+": "+find(v), "env", i, "value"))
				}
			}
		}
	}
	for _, o := range s.Kind("", "ConfigMap") {
		for name, n := range o.Root.Get("data").Fields() {
			text := n.Text()
			if len(text) > mostScript || !strings.HasPrefix(text, "#!") && !strings.HasSuffix(name, "sh") && !strings.HasSuffix(name, ".py") {
				continue
			}
			if found := find(text); found != "" {
				h.Add(posture.Hit{Object: o, Path: []any{"data", name}, Evidence: "the script " + name + " has " + what + ": " + found})
			}
		}
	}
}

// nodeShell finds commands that step out to the node.
func nodeShell(h *posture.Hits, w *kube.Workload) {
	for _, s := range scriptsOf(h.Set, w) {
		stepsOut(h, w, &s)
		if strings.Contains(s.text, "nsenter") {
			if m := entersNode.FindString(s.text); m != "" {
				hit := at(w, s.c, m, s.path...)
				hit.Severity = low
				if w.Spec.HostPID && (privileged(s.c) || adds(s.c, "SYS_ADMIN") >= 0) {
					hit.Severity = critical
				}
				danger(h, w, hit)
			}
		}
		if !strings.Contains(s.text, "chroot") {
			continue
		}
		if m := chrootsNode.FindStringSubmatch(s.text); m != nil {
			if behindProcess(m[1]) && w.Spec.HostPID {
				danger(h, w, at(w, s.c, m[0]+", which is the node's root folder with hostPID", s.path...))
			}
			for _, mount := range hostMounts(h.Set, w) {
				if mount.c == s.c && mount.host == "/" && !behindProcess(m[1]) && strings.TrimRight(mount.mounted, "/") == strings.TrimRight(m[1], `/"';`) {
					danger(h, w, at(w, s.c, m[0]+", where the node's root folder is mounted", s.path...))
				}
			}
		}
	}
}

var miner = lazyregexp.New(`(?i)stratum(?:\+(?:tcp|ssl|tls))?://|\bxmrig\b|\bminerd\b|\bcpuminer\b|\bxmr-stak\b|--donate-level\b|\bcryptonight\b|\brandomx\b|\bethminer\b|\bnbminer\b|\bt-rex\b\s+-a|\bphoenixminer\b|\bcgminer\b`)

// minerWords are parts of which one is in whatever miner finds.
var minerWords = []string{"miner", "stratum", "xmr", "donate-level", "cryptonight", "randomx", "t-rex"}

// mines finds a miner, quickly where there is none.
func mines(text string) string {
	lower := strings.ToLower(text)
	if !slices.ContainsFunc(minerWords, func(word string) bool { return strings.Contains(lower, word) }) {
		return ""
	}
	at := miner.FindStringIndex(text)
	if at == nil {
		return ""
	}
	return text[at[0]:min(len(text), at[1]+60)]
}

var sleeps = lazyregexp.New(`^(?:(?:/\w+)*/?(?:ba|da|a)?sh\s+(?:-\w+\s+)*(?:--\s+)?)?["']?(?:exec\s+)?(?:sleep\s+(?:infinity|inf|\d{4,}|\d+d)|tail\s+-[fF]\s+/dev/null|while\s+(?:true|:|\[ ?1 ?\])\s*;?\s*do\s+sleep\s+\S+\s*;?\s*done|sleep\s+\d+[hd])`)

// idle finds containers that do nothing and have rights over the node.
func idle(h *posture.Hits, w *kube.Workload) {
	var why string
	switch {
	case anyPrivileged(w):
		why = "a privileged container"
	case w.Spec.HostPID:
		why = "hostPID"
	case w.Spec.HostNetwork:
		why = "hostNetwork"
	case w.Spec.HostIPC:
		why = "hostIPC"
	}
	for c := range lasting(w) {
		text := joined(c.Command, c.Args)
		if !strings.Contains(text, "sleep") && !strings.Contains(text, "/dev/null") {
			continue
		}
		text = strings.Join(strings.Fields(text), " ")
		if !sleeps.MatchString(text) {
			continue
		}
		reason := why
		for _, m := range hostMounts(h.Set, w) {
			if i := m.place; m.c == c && i >= 0 && (i == len(places) || places[i].write >= bulwark.SeverityHigh) {
				reason = "the node's " + m.host
			}
		}
		if reason != "" {
			h.Add(at(w, c, "it only sleeps ("+text+"), with "+reason, "command"))
		}
	}
}
