package workload

import (
	"net"
	"net/url"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"bulwark"
	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

// authRules are about programs that are told to ask nobody who they are.
var authRules = []*posture.Rule{
	{
		Rule: misconfig.Rule{ID: "workload/no-authentication", Severity: high, Title: "A program is told to ask nobody who they are",
			Tags: []string{"attack:T1190", "attack:T1133"}, Fix: "take the setting out, and give the program a password or certificates",
			Why:   "whoever reaches its port has all its rights: of the node for the kubelet, of a shell for notebooks (high), of its data for databases and tools (medium). The API server and its etcd have rules of their own, in the family cluster",
			Noise: "tests, and programs that only the pod itself reaches", Refs: []string{"https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/", "https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/"}},
		Workload: noAuthentication,
	},
	{
		Rule: misconfig.Rule{ID: "workload/dashboard-skip-login", Severity: high, Title: "The Kubernetes dashboard lets people in without a login",
			Tags: []string{"attack:T1133", "attack:T1538", "kubescape:C-0047"}, Fix: "take --enable-skip-login and --enable-insecure-login out",
			Why:   "whoever reaches it has the rights of its service account, which clusters have been taken over by; insecure login sends tokens in clear text (medium)",
			Noise: "a service account that may do nothing makes it harmless", Refs: []string{"https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/"}},
		Workload: dashboards,
	},
	{
		Rule: misconfig.Rule{ID: "workload/tiller", Severity: high, Title: "Tiller, the server of Helm 2, runs in the cluster",
			Tags: []string{"attack:T1078", "attack:T1610"}, Fix: "move to Helm 3 or later, and delete Tiller with its role binding",
			Why:   "any pod asks it to install anything with its rights, which are mostly cluster-admin's; it has no maintainer since 2020",
			Noise: "none: Tiller with TLS is rare and out of support too", Refs: []string{"https://helm.sh/docs/topics/v2_v3_migration/"}},
		Workload: func(h *posture.Hits, w *kube.Workload) {
			for c := range each(w) {
				if base := path.Base(parseImage(c.Image).repository); base == "tiller" || len(c.Command) > 0 && path.Base(c.Command[0]) == "tiller" {
					h.Add(at(w, c, "image "+c.Image, "image"))
				}
			}
		},
	},
	{
		Rule: misconfig.Rule{ID: "workload/engine-in-container", Severity: high, Title: "A container engine in a container listens to everybody",
			Tags: []string{"cis-docker:2.7", "attack:T1610", "attack:T1133"}, Fix: "listen on the pod's loopback with TLS, or build images with a tool that needs no engine",
			Why:   "whoever reaches the port starts containers in it; it is privileged, so that is root on the node",
			Noise: "the port is only reached inside the pod where nothing else can: a NetworkPolicy shows that", Refs: []string{"https://docs.docker.com/engine/security/protect-access/"}},
		Workload: engines,
	},
	{
		Rule: misconfig.Rule{ID: "workload/tls-not-verified", Severity: low, Title: "A program does not check whom it talks to",
			Tags: []string{"attack:T1557"}, Fix: "give it the right certificate authority, and take the setting out",
			Why:   "who is in between reads and changes what is sent, tokens among it. Low: one has to be in between first",
			Noise: "test clusters with self-signed kubelet certificates", Refs: []string{"https://attack.mitre.org/techniques/T1557/"}},
		Workload: notVerified,
	},
}

func noAuthentication(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		if len(c.Command)+len(c.Args) > 0 {
			openArguments(h, w, c)
		}
		for i, e := range c.Env {
			if open, ok := openVariables[e.Name]; ok && open.value(e.Value) {
				hit := at(w, c, "env "+e.Name+"="+e.Value+": "+open.says, "env", i)
				hit.Severity = medium
				h.Add(hit)
			}
		}
	}
}

func openArguments(h *posture.Hits, w *kube.Workload, c *kube.Container) {
	words := arguments(c)
	names := programs(c, words)
	for _, o := range openings {
		if !names.run(o.program) || o.program == "etcd" && (system(w.Namespace) || w.Spec.HostNetwork) {
			continue // the cluster's own etcd is looked at with the cluster
		}
		for i, word := range words {
			value, ok := flagValue(words, i, o.flag)
			if !ok || !o.value(value) {
				continue
			}
			text := word.text
			if !strings.Contains(text, "=") && value != "" {
				text += " " + value
			}
			hit := at(w, c, text+": "+o.says, word.path()...)
			hit.Severity = medium
			if o.high {
				hit.Severity = high
			}
			h.Add(hit)
		}
	}
}

// word is one word of a container's command, with where it stands.
type word struct {
	text  string
	field string // "command" or "args"
	at    int    // the element of the list that has it
	whole bool   // it is that element, not a part of it
}

// path is where the word stands in the container.
func (w *word) path() []any { return []any{w.field, w.at} }

// arguments are the words of a command; those of a script behind "sh -c" one by one.
func arguments(c *kube.Container) []word {
	list := make([]word, 0, min(len(c.Command)+len(c.Args), 500))
	add := func(field string, words []string) {
		for i, s := range words {
			if len(list) > 500 || len(s) > mostScript {
				return
			}
			if !strings.ContainsAny(s, " \n\t") || strings.HasPrefix(s, "-") {
				list = append(list, word{s, field, i, true})
				continue
			}
			for f := range strings.FieldsSeq(s) {
				if len(list) < 500 {
					list = append(list, word{f, field, i, false})
				}
			}
		}
	}
	add("command", c.Command)
	add("args", c.Args)
	return list
}

// names are what a container may run: the last element of its image's name, and those of the
// first words of its command.
type names struct {
	image string
	words []string
}

func programs(c *kube.Container, words []word) names {
	n := names{image: path.Base(parseImage(c.Image).repository)}
	for i := range words[:min(len(words), 8)] {
		n.words = append(n.words, path.Base(words[i].text))
	}
	return n
}

// run tells whether the container is of that program.
func (n *names) run(program string) bool {
	if program == "" || strings.HasSuffix(n.image, program) {
		return true
	}
	for _, w := range n.words {
		if w == program || program == "jupyter" && strings.HasPrefix(w, "jupyter-") {
			return true
		}
	}
	return false
}

// flagValue is what the flag at words[i] is set to: "--flag=value", "--flag value", "--flag".
func flagValue(words []word, i int, flag string) (string, bool) {
	text := strings.TrimLeft(words[i].text, "-")
	if text == words[i].text || !strings.HasPrefix(text, flag) {
		return "", false
	}
	rest := text[len(flag):]
	if value, ok := strings.CutPrefix(rest, "="); ok {
		return strings.Trim(value, `"'`), true
	}
	if rest != "" {
		return "", false
	}
	if i+1 < len(words) && !strings.HasPrefix(words[i+1].text, "-") {
		return words[i+1].text, true
	}
	return "", true
}

func dashboards(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		if !strings.Contains(c.Image, "dashboard") {
			continue
		}
		words := arguments(c)
		for i, word := range words {
			for flag, severity := range map[string]bulwark.Severity{"enable-skip-login": high, "enable-insecure-login": medium} {
				if v, ok := flagValue(words, i, flag); ok && !strings.EqualFold(v, "false") {
					hit := at(w, c, word.text, word.path()...)
					hit.Severity = severity
					if word.whole && (v == "" || strings.Contains(word.text, "=")) {
						hit.Edits = []kube.Edit{kube.Drop(hit.Path...)}
					}
					h.Add(hit)
				}
			}
		}
	}
}

func engines(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		i := parseImage(c.Image)
		if base := path.Base(i.repository); base != "docker" && base != "dind" && !strings.Contains(base, "docker-in-docker") && !strings.Contains(joined(c.Command, c.Args), "dockerd") {
			continue
		}
		words := arguments(c)
		for j, word := range words {
			for _, flag := range []string{"host", "H"} {
				if v, ok := flagValue(words, j, flag); ok && strings.HasPrefix(v, "tcp://") && !loopback(v) && !strings.Contains(joined(c.Command, c.Args), "tlsverify") {
					h.Add(at(w, c, word.text+": the engine's port without certificates", word.path()...))
				}
			}
		}
		for j, e := range c.Env {
			if e.Name == "DOCKER_TLS_CERTDIR" && e.Value == "" && e.ValueFrom == nil && strings.Contains(i.tag+i.repository, "dind") {
				h.Add(at(w, c, "DOCKER_TLS_CERTDIR is empty: port 2375 takes everybody", "env", j))
			}
		}
	}
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// unverified are settings that switch the check of certificates off, with what they are.
var unverified = map[string]bool{
	"kubelet-insecure-tls": true, "insecure-skip-tls-verify": true, "insecure-skip-verify": true, "tls-skip-verify": true, "skip-tls-verify": true, "tls-insecure-skip-verify": true, "insecure-tls": true, "no-check-certificate": true, "insecure-registry": true, "skip-tls-verify-pull": true,
}

var unverifiedVariables = map[string]func(string) bool{
	"NODE_TLS_REJECT_UNAUTHORIZED": is("0"), "PYTHONHTTPSVERIFY": is("0"), "GIT_SSL_NO_VERIFY": is("1", "true"), "VAULT_SKIP_VERIFY": is("1", "true"), "KUBE_INSECURE_SKIP_TLS_VERIFY": is("true"), "CURL_INSECURE": is("1", "true"), "SSL_VERIFY": is("false", "0"),
}

func notVerified(h *posture.Hits, w *kube.Workload) {
	for c := range each(w) {
		words := arguments(c)
		for i, word := range words {
			name, _, _ := strings.Cut(strings.TrimLeft(word.text, "-"), "=")
			if !unverified[name] || !strings.HasPrefix(word.text, "--") {
				continue
			}
			if v, ok := flagValue(words, i, name); ok && !strings.EqualFold(v, "false") {
				h.Add(at(w, c, word.text, word.path()...))
			}
		}
		for i, e := range c.Env {
			if off := unverifiedVariables[e.Name]; off != nil && off(e.Value) && e.ValueFrom == (*corev1.EnvVarSource)(nil) {
				h.Add(at(w, c, "env "+e.Name+"="+e.Value, "env", i))
			}
		}
	}
}
