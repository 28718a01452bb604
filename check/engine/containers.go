package engine

import (
	"fmt"
	"strings"

	"bulwark/check/internal/misconfig"
	"bulwark/check/internal/posture"
	"bulwark/kube"
)

var containerRules = []*posture.Rule{
	container(misconfig.Rule{ID: "engine/root-user", Severity: low, Title: "A container runs as root of the machine", Tags: []string{"cis-docker:4.1"},
		Fix:   "run it with --user UID:GID, or give its image a USER; or let the engine map users",
		Why:   "users are not mapped, so whatever gets out of the container is root on the machine; low, since it takes another flaw to get out",
		Noise: "images that give root up themselves when they start", Refs: []string{docsSecurity}},
		func(o *kube.Object, _ *kube.Node) []string {
			id, ok := one(o).Get("securityContext", "runAsUser").Int()
			return yes(ok && id == 0 && !o.Root.Get("spec", "hostUsers").False(), "its user is root, and users are not mapped")
		}),
	container(misconfig.Rule{ID: "engine/disk-device", Severity: high, Title: "A container has the machine's disk or memory as a device", Tags: []string{"cis-docker:5.18", "attack:T1611"},
		Fix:   "run it without that --device, and mount the folder that is needed",
		Why:   "a disk or the memory read as a device has every file of the machine in it, whatever the container's user is",
		Noise: "programs that partition disks or watch over their health (smartctl), which are as trusted as the machine", Refs: []string{docsRun}},
		func(_ *kube.Object, e *kube.Node) []string { return devices(e, true) }),
	container(misconfig.Rule{ID: "engine/host-device", Severity: low, Title: "A container has devices of the machine", Tags: []string{"cis-docker:5.18"},
		Fix:   "run it without that --device or --device-cgroup-rule, or with the letters r or w alone",
		Why:   "what drives the device is in the kernel, and is reached without a further check",
		Noise: "graphics cards, USB devices and serial lines that the container is there for", Refs: []string{docsRun}},
		func(_ *kube.Object, e *kube.Node) []string { return devices(e, false) }),
	container(misconfig.Rule{ID: "engine/port-everywhere", Severity: low, Title: "A port is published on all addresses of the machine", Tags: []string{"cis-docker:5.14"},
		Fix:   "publish it on the address that needs it: -p 127.0.0.1:8080:80",
		Why:   "Docker opens the machine's firewall for it: rules of ufw or firewalld do not hold it back, and every network that the machine is in reaches it",
		Noise: "what is there for everybody; 80 and 443 are left out", Refs: []string{docsPorts}},
		func(o *kube.Object, _ *kube.Node) []string {
			return told(o, func(p port) bool { return p.everywhere() && p.outside != 80 && p.outside != 443 })
		}),
	container(misconfig.Rule{ID: "engine/ssh-port", Severity: low, Title: "A container's SSH is published", Tags: []string{"cis-docker:5.7", "attack:T1021"},
		Fix:   "take the SSH server out; docker exec is there for who may use the engine",
		Why:   "it is a way in of its own, with keys and passwords that nobody changes when people go",
		Noise: "Git servers, which take SSH for its protocol alone", Refs: []string{docsPorts}},
		func(o *kube.Object, _ *kube.Node) []string {
			return told(o, func(p port) bool { return p.inside == 22 && p.open() })
		}),
	container(misconfig.Rule{ID: "engine/low-port", Severity: low, Hygiene: true, Title: "A port below 1024 is published", Tags: []string{"cis-docker:5.8"},
		Fix:   "publish it as a port from 1024 on, behind a proxy",
		Why:   "these ports are for services of the system, which root alone may open; a container that may take the place of one is believed",
		Noise: "proxies; 80 and 443 are left out", Refs: []string{docsPorts}},
		func(o *kube.Object, _ *kube.Node) []string {
			return told(o, func(p port) bool {
				return p.outside > 0 && p.outside < 1024 && p.outside != 80 && p.outside != 443
			})
		}),
	container(misconfig.Rule{ID: "engine/publish-all", Severity: low, Hygiene: true, Title: "Every port of an image is published", Tags: []string{"cis-docker:5.9"},
		Fix:   "name the ports: -p 127.0.0.1:8080:80 instead of -P",
		Why:   "the image says what is open, and the next one may say more",
		Noise: "none known", Refs: []string{docsPorts}},
		func(_ *kube.Object, e *kube.Node) []string {
			return yes(e.Get("publishAll").True(), "it runs with --publish-all")
		}),
	container(misconfig.Rule{ID: "engine/default-network", Severity: low, Hygiene: true, Title: "A container is in Docker's default network", Tags: []string{"cis-docker:5.30"},
		Fix:   "make a network for what belongs together (docker network create), and run it with --network",
		Why:   "all containers that name no network are in it, and reach every port of each other",
		Noise: "machines with one container", Refs: []string{docsNetwork}},
		func(o *kube.Object, e *kube.Node) []string {
			n := e.Get("network").Text()
			return yes(o.Namespace == "docker" && (n == "default" || n == "bridge"), "its network is the default one")
		}),
	container(misconfig.Rule{ID: "engine/host-uts", Severity: low, Title: "A container can rename the machine", Tags: []string{"cis-docker:5.21"},
		Fix:   "run it without --uts host",
		Why:   "with the capability SYS_ADMIN it sets the machine's name, by which logs and certificates know it",
		Noise: "none known", Refs: []string{docsRun}},
		func(_ *kube.Object, e *kube.Node) []string {
			return yes(e.Get("uts").Text() == "host", "it runs with --uts host")
		}),
	container(misconfig.Rule{ID: "engine/host-cgroup", Severity: low, Title: "A container sees the machine's control groups", Tags: []string{"cis-docker:5.25"},
		Fix:   "run it without --cgroupns host and without --cgroup-parent",
		Why:   "it sees the groups of all other containers, and with SYS_ADMIN changes their limits",
		Noise: "agents that measure all containers; with version 1 it is what containers get that ask for nothing, and is not told", Refs: []string{docsRun}},
		func(o *kube.Object, e *kube.Node) []string {
			lines := yes(e.Get("cgroupns").Text() == "host" && e.Get("cgroup").Text() != "1", "it runs with --cgroupns host")
			parent := e.Get("cgroupParent").Text()
			return append(lines, yes(o.Namespace == "docker" && parent != "", "its control group is below "+parent)...)
		}),
	container(misconfig.Rule{ID: "engine/host-users", Severity: medium, Title: "A container is left out of the mapping of users", Tags: []string{"cis-docker:5.31", "attack:T1611"},
		Fix:   "run it without --userns host",
		Why:   "the engine maps users so that root in a container is nobody on the machine; for this one it does not",
		Noise: "what needs the machine's users, such as agents", Refs: []string{docsUsers}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(o.Root.Get("spec", "hostUsers").True(), "it runs with --userns host")
		}),
	container(misconfig.Rule{ID: "engine/no-new-privileges", Severity: low, Hygiene: true, Title: "Nothing keeps a container from gaining privileges", Tags: []string{"cis-docker:5.26", "attack:T1548"},
		Fix:   "run it with --security-opt no-new-privileges, or set no-new-privileges in daemon.json",
		Why:   "a program with the setuid bit makes root of any user in the container",
		Noise: "programs that need sudo or ping in the container", Refs: []string{docsRun}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(one(o).Get("securityContext", "allowPrivilegeEscalation").True(), "no-new-privileges is not set")
		}),
	container(misconfig.Rule{ID: "engine/no-pids-limit", Severity: low, Hygiene: true, Title: "A container may start any number of processes", Tags: []string{"cis-docker:5.29", "attack:T1499"},
		Fix:   "run it with --pids-limit 200, or what it needs",
		Why:   "one that starts processes without end takes the last number that the machine has, and nobody can log in to stop it",
		Noise: "none known", Refs: []string{docsLimits}},
		func(_ *kube.Object, e *kube.Node) []string {
			n, ok := e.Get("pidsLimit").Int()
			return yes(!ok || n <= 0, "--pids-limit is not set")
		}),
	container(misconfig.Rule{ID: "engine/no-cpu-shares", Severity: low, Hygiene: true, Title: "A container has no share of the processors of its own", Tags: []string{"cis-docker:5.12"},
		Fix:   "run it with --cpus or --cpu-shares",
		Why:   "all containers count the same when the machine is busy, whatever they are for",
		Noise: "machines with one container", Refs: []string{docsLimits}},
		func(o *kube.Object, e *kube.Node) []string {
			n, _ := e.Get("cpuShares").Int()
			return yes((n == 0 || n == 1024) && !one(o).Get("resources", "limits", "cpu").Exists(), "neither --cpus nor --cpu-shares is set")
		}),
	container(misconfig.Rule{ID: "engine/ulimit", Severity: low, Hygiene: true, Title: "A container has limits other than the engine's", Tags: []string{"cis-docker:5.19"},
		Fix:   "run it without --ulimit, and set default-ulimits in daemon.json for all",
		Why:   "the engine's limits are what the machine was measured for",
		Noise: "databases that need many open files", Refs: []string{docsRun}},
		func(o *kube.Object, e *kube.Node) []string {
			if o.Namespace != "docker" {
				return nil // Podman tells those that it gives to all
			}
			var lines []string
			for _, u := range e.Get("ulimits").Items() {
				lines = append(lines, fmt.Sprintf("--ulimit %s=%s:%s", u.Get("name").Text(), u.Get("soft").Text(), u.Get("hard").Text()))
			}
			return lines
		}),
	container(misconfig.Rule{ID: "engine/restart-without-end", Severity: low, Hygiene: true, Title: "A container that fails is started again without end", Tags: []string{"cis-docker:5.15"},
		Fix:   "run it with --restart on-failure:5",
		Why:   "one that always fails keeps the machine busy, and its failing is not seen",
		Noise: "services that somebody watches", Refs: []string{docsRun}},
		func(_ *kube.Object, e *kube.Node) []string {
			name := e.Get("restart").Text()
			n, _ := e.Get("retries").Int()
			return yes(name == "always" || name == "unless-stopped" || name == "on-failure" && (n == 0 || n > 5), "it runs with --restart "+name)
		}),
	container(misconfig.Rule{ID: "engine/no-health-check", Severity: low, Hygiene: true, Title: "A container has no health check", Tags: []string{"cis-docker:5.27", "cis-docker:4.6"},
		Fix:   "run it with --health-cmd, or give its image a HEALTHCHECK",
		Why:   "the engine takes it for well as long as its process is there",
		Noise: "jobs that end by themselves", Refs: []string{docsRun}},
		func(o *kube.Object, _ *kube.Node) []string {
			return yes(!one(o).Has("livenessProbe"), "there is no health check")
		}),
	container(misconfig.Rule{ID: "engine/no-log", Severity: medium, Title: "What a container says is thrown away", Tags: []string{"cis-docker:2.13", "attack:T1562"},
		Fix:   "run it with a --log-driver that keeps it: local, journald, or one that sends it elsewhere",
		Why:   "after a break-in there is nothing to see what was done",
		Noise: "programs that keep logs of their own", Refs: []string{docsLogs}},
		func(_ *kube.Object, e *kube.Node) []string {
			return yes(e.Get("log").Text() == "none", "it runs with --log-driver none")
		}),
	container(misconfig.Rule{ID: "engine/never-out-of-memory", Severity: low, Title: "A container is never ended when memory runs out", Tags: []string{"cis-docker:5.11"},
		Fix:   "run it without --oom-kill-disable",
		Why:   "the kernel ends other programs of the machine in its place",
		Noise: "with a limit on its memory it waits instead, and no other pays", Refs: []string{docsLimits}},
		func(o *kube.Object, e *kube.Node) []string {
			return yes(e.Get("oomKillDisable").True() && !one(o).Get("resources", "limits", "memory").Exists(), "it runs with --oom-kill-disable and without --memory")
		}),
}

// told are the ports of an object that are meant.
func told(o *kube.Object, meant func(port) bool) []string {
	var lines []string
	for _, p := range ports(o) {
		if meant(p) {
			lines = append(lines, p.String())
		}
	}
	return lines
}

// devices are those of a container: disks and memory, or all others.
func devices(e *kube.Node, disks bool) []string {
	var lines []string
	for _, d := range e.Get("devices").Items() {
		if path := d.Get("path").Text(); disk(path) == disks {
			lines = append(lines, "--device "+path+" ("+d.Get("may").Text()+")")
		}
	}
	for _, rule := range e.Get("deviceRules").Strings() {
		if kind, _, _ := strings.Cut(rule, " "); (kind == "b" || kind == "a") == disks {
			lines = append(lines, "--device-cgroup-rule "+rule)
		}
	}
	return lines
}

func disk(path string) bool {
	for _, prefix := range []string{"/dev/sd", "/dev/nvme", "/dev/vd", "/dev/xvd", "/dev/hd", "/dev/dm-", "/dev/mapper/", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/loop", "/dev/disk/", "/dev/md"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return path == "/dev"
}
