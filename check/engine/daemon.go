package engine

import (
	"slices"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var daemonRules = []*posture.Rule{
	daemon(misconfig.Rule{ID: "engine/open-api", Severity: critical, Title: "The engine obeys everybody on the network", Tags: []string{"cis-docker:2.7", "attack:T1133", "attack:T1610"},
		Fix:   "take the tcp:// host out of daemon.json and of dockerd's arguments, or set tlsverify with certificates; ssh:// needs neither",
		Why:   "who reaches the port runs any container with any right, which is root on the machine; worms look for it all day",
		Noise: "none known", Refs: []string{docsSocket}}, openAPI),
	daemon(misconfig.Rule{ID: "engine/insecure-registries", Severity: medium, Title: "Images are taken from registries without TLS", Tags: []string{"cis-docker:2.5", "attack:T1525"},
		Fix:   "give the registry a certificate, and take it out of insecure-registries",
		Why:   "whoever is in between gives other images, and sees the password",
		Noise: "registries that this machine reaches over a wire of its own", Refs: []string{docsDaemon}},
		func(o *kube.Object, _ *kube.Node) []string {
			list := o.Root.Get("insecureRegistries").Strings()
			return yes(len(list) > 0, "insecure-registries: "+strings.Join(list, ", "))
		}),
	daemon(misconfig.Rule{ID: "engine/no-seccomp", Severity: high, Title: "The engine confines no container by seccomp", Tags: []string{"cis-docker:2.17", "attack:T1611"},
		Fix:   "take seccomp-profile \"unconfined\" out of daemon.json; without seccomp in the kernel, use another kernel",
		Why:   "every container may call every system call, among them those that most ways out of containers need",
		Noise: "none known", Refs: []string{"https://docs.docker.com/engine/security/seccomp/"}},
		func(o *kube.Object, c *kube.Node) []string {
			s := o.Root.Get("seccomp").Text()
			return yes(s == "unconfined" || s == "none" || c.Get("seccomp-profile").Text() == "unconfined", "seccomp is off")
		}),
	daemon(misconfig.Rule{ID: "engine/no-firewall", Severity: medium, Title: "The engine keeps its networks apart by nothing", Tags: []string{"cis-docker:2.4"},
		Fix:   "take iptables: false out of daemon.json",
		Why:   "without its rules, containers of different networks reach each other, and from other machines too",
		Noise: "machines whose rules somebody else writes", Refs: []string{docsDaemon}},
		func(_ *kube.Object, c *kube.Node) []string {
			return yes(c.Get("iptables").False(), "iptables: false")
		}),
	daemon(misconfig.Rule{ID: "engine/logs-nowhere", Severity: medium, Title: "What containers say is thrown away", Tags: []string{"cis-docker:2.13", "attack:T1562"},
		Fix:   "set log-driver to one that keeps it: local, journald, or one that sends it elsewhere",
		Why:   "after a break-in there is nothing to see what was done",
		Noise: "none known", Refs: []string{docsLogs}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(o.Root.Get("log").Text() == "none", "log-driver: none")
		}),
	daemon(misconfig.Rule{ID: "engine/logs-here", Severity: low, Hygiene: true, Title: "What containers say stays on the machine", Tags: []string{"cis-docker:2.13"},
		Fix:   "set log-driver to one that sends it elsewhere (syslog, fluentd, gelf), or let an agent collect the files",
		Why:   "who breaks in takes it away with them",
		Noise: "machines with an agent that collects the files", Refs: []string{docsLogs}},
		func(o *kube.Object, _ *kube.Node) []string {
			d := o.Root.Get("log").Text()
			return yes(d == "json-file" || d == "local", "log-driver: "+d)
		}),
	daemon(misconfig.Rule{ID: "engine/old-storage", Severity: low, Title: "The engine stores images with a driver that nobody keeps up", Tags: []string{"cis-docker:2.6"},
		Fix:   "set storage-driver to overlay2, or leave it out",
		Why:   "aufs and devicemapper are out of the kernel or of Docker, and get no more fixes",
		Noise: "none known", Refs: []string{"https://docs.docker.com/engine/storage/drivers/select-storage-driver/"}},
		func(o *kube.Object, _ *kube.Node) []string {
			d := o.Root.Get("storage").Text()
			return yes(d == "aufs" || d == "devicemapper", "storage-driver: "+d)
		}),
	daemon(misconfig.Rule{ID: "engine/root-engine", Severity: low, Hygiene: true, Title: "The engine runs as root", Tags: []string{"cis-docker:2.1"},
		Fix:   "run it rootless: dockerd-rootless-setuptool.sh install",
		Why:   "a flaw in it, and whoever may use it, has the whole machine",
		Noise: "networks and storage that need root", Refs: []string{"https://docs.docker.com/engine/security/rootless/"}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(!o.Root.Get("rootless").True(), "it does not run rootless")
		}),
	daemon(misconfig.Rule{ID: "engine/users-not-mapped", Severity: low, Hygiene: true, Title: "Root in a container is root on the machine", Tags: []string{"cis-docker:2.9"},
		Fix:   "set userns-remap to \"default\" in daemon.json; files of containers there are get other owners",
		Why:   "with mapped users, what gets out of a container is nobody",
		Noise: "containers that need files of the machine's users", Refs: []string{docsUsers}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(!o.Root.Get("userns").True() && !o.Root.Get("rootless").True(), "userns-remap is not set")
		}),
	daemon(misconfig.Rule{ID: "engine/containers-talk", Severity: low, Hygiene: true, Title: "Containers in the default network reach each other", Tags: []string{"cis-docker:2.2"},
		Fix:   "set icc to false in daemon.json, and make networks for what belongs together",
		Why:   "one container that is taken over reaches the ports of all others",
		Noise: "machines on which every container has a network of its own", Refs: []string{docsNetwork}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(o.Root.Get("icc").True(), "icc: true")
		}),
	daemon(misconfig.Rule{ID: "engine/may-gain-privileges", Severity: low, Hygiene: true, Title: "The engine lets containers gain privileges", Tags: []string{"cis-docker:2.14"},
		Fix:   "set no-new-privileges to true in daemon.json",
		Why:   "then no container can make root of another user by a setuid program, unless it asks for it",
		Noise: "none known", Refs: []string{docsDaemon}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(!o.Root.Get("noNewPrivileges").True(), "no-new-privileges is not set")
		}),
	daemon(misconfig.Rule{ID: "engine/no-live-restore", Severity: low, Hygiene: true, Title: "Containers end when the engine does", Tags: []string{"cis-docker:2.15"},
		Fix:   "set live-restore to true in daemon.json",
		Why:   "an upgrade of the engine stops every container, and is put off for it",
		Noise: "machines of a swarm, which has no use for it", Refs: []string{"https://docs.docker.com/engine/daemon/live-restore/"}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(!o.Root.Get("liveRestore").True() && !o.Root.Get("swarm").True(), "live-restore is not set")
		}),
	daemon(misconfig.Rule{ID: "engine/userland-proxy", Severity: low, Hygiene: true, Title: "A process for every published port", Tags: []string{"cis-docker:2.16"},
		Fix:   "set userland-proxy to false in daemon.json",
		Why:   "the kernel can pass connections on by itself; the proxy is more to attack, and hides who connects",
		Noise: "kernels without hairpin NAT", Refs: []string{docsPorts}},
		func(_ *kube.Object, c *kube.Node) []string {
			return yes(c.Exists() && !c.Get("userland-proxy").False(), "userland-proxy is not false")
		}),
	daemon(misconfig.Rule{ID: "engine/no-authorization", Severity: low, Hygiene: true, Title: "Who may use the engine may do all with it", Tags: []string{"cis-docker:2.12"},
		Fix:   "set authorization-plugins to one that knows who may do what",
		Why:   "to use the engine is to be root; a plugin makes less of it",
		Noise: "machines that one person uses", Refs: []string{"https://docs.docker.com/engine/extend/plugins_authorization/"}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(o.Root.Get("authorization").Len() == 0, "authorization-plugins is not set")
		}),
	daemon(misconfig.Rule{ID: "engine/no-default-ulimits", Severity: low, Hygiene: true, Title: "The engine gives containers no limits", Tags: []string{"cis-docker:2.8"},
		Fix:   "set default-ulimits in daemon.json: nofile and nproc",
		Why:   "a container that opens files or starts processes without end takes them from all others",
		Noise: "machines whose init system sets them for the engine", Refs: []string{docsDaemon}},
		func(_ *kube.Object, c *kube.Node) []string {
			return yes(c.Exists() && c.Get("default-ulimits").Len() == 0, "default-ulimits is not set")
		}),
	daemon(misconfig.Rule{ID: "engine/cgroup-parent", Severity: low, Hygiene: true, Title: "Containers are in a control group of another kind", Tags: []string{"cis-docker:2.10"},
		Fix:   "take cgroup-parent out of daemon.json, unless it is there for a reason",
		Why:   "the limits of that group are theirs, and may be none",
		Noise: "machines that share their resources out on purpose", Refs: []string{docsDaemon}},
		func(_ *kube.Object, c *kube.Node) []string {
			return yes(c.Get("cgroup-parent").Text() != "", "cgroup-parent: "+c.Get("cgroup-parent").Text())
		}),
	daemon(misconfig.Rule{ID: "engine/log-level", Severity: low, Hygiene: true, Title: "The engine says too much, or too little", Tags: []string{"cis-docker:2.3"},
		Fix:   "set log-level to info in daemon.json",
		Why:   "debug writes down what requests hold; less than info leaves out what an investigation needs",
		Noise: "while somebody looks for a fault", Refs: []string{docsDaemon}},
		func(_ *kube.Object, c *kube.Node) []string {
			l := c.Get("log-level").Text()
			return yes(l != "" && l != "info", "log-level: "+l)
		}),
	daemon(misconfig.Rule{ID: "engine/experimental", Severity: low, Hygiene: true, Title: "The engine's experiments are on", Tags: []string{"cis-docker:2.18"},
		Fix:   "take experimental out of daemon.json",
		Why:   "they are less tried, and may change what they do",
		Noise: "Docker Desktop, which turns them on", Refs: []string{docsDaemon}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(o.Root.Get("experimental").True(), "experimental: true")
		}),
	daemon(misconfig.Rule{ID: "engine/swarm", Severity: low, Hygiene: true, Title: "The engine is part of a swarm", Tags: []string{"cis-docker:5.1"},
		Fix:   "leave it (docker swarm leave) unless it is used",
		Why:   "it opens ports for the other machines, and obeys their managers",
		Noise: "machines that are there for it", Refs: []string{"https://docs.docker.com/engine/swarm/"}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(o.Root.Get("swarm").True(), "swarm mode is active")
		}),
}

// openAPI are addresses at which the engine obeys without a certificate: as it warns itself, or
// as it is told.
func openAPI(o *kube.Object, config *kube.Node) []string {
	lines := yes(o.Root.Get("open").True(), "the engine warns that its API is open without encryption")
	if config.Get("tlsverify").True() {
		return lines
	}
	for _, host := range config.Get("hosts").Strings() {
		address, ok := strings.CutPrefix(host, "tcp://")
		here := slices.ContainsFunc([]string{"127.", "localhost", "[::1]"}, func(p string) bool { return strings.HasPrefix(address, p) })
		if ok && !here {
			lines = append(lines, "it listens at "+host+" without tlsverify")
		}
	}
	return lines
}
