package escape

import (
	"fmt"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// processes are rules about those of others.
func processes() []family.Rule {
	return []family.Rule{
		{Name: "ptrace", Title: "A container attaches to a process of its node", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1055.008", "attack:T1611"}, References: []string{docsContainer},
			Why:   "Whoever traces a process has it do what he likes. This container sees the node's processes, and so can take any. Critical, as one of root's is enough.",
			Noise: "Debuggers in containers that were given the node's process ids on purpose; children that a debugger started itself are attached in another way and not told.",
			Fix:   "Run the container without hostPID and CAP_SYS_PTRACE.", Every: time.Minute,
			Looks: []family.Look{{Kinds: "ptrace", Where: inside, If: func(h *family.Hit) bool {
				req := h.Num("request")
				return (req == 16 || req == 0x4206) && who.SeesNode(h.P) && outOfEngine(h)
			}, Do: func(h *family.Hit) { h.Tell("ptrace", fmt.Sprintf("attached to pid %d", h.Num("pid"))) }}}},
		{Name: "process-memory", Title: "A container writes into the memory of another process", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1055", "attack:T1055.009"}, References: []string{"https://attack.mitre.org/techniques/T1055/"},
			Why:   "Code that is put into a running process runs under its name and with its rights, and leaves no file. High; it is an escape where the process is of the node.",
			Noise: "Debuggers (gdb, dlv, strace, criu) are excused by their programs.",
			Fix:   "Run the container without CAP_SYS_PTRACE and with the default seccomp profile.", Every: time.Minute,
			Looks: []family.Look{
				{Kinds: "process_vm_writev", Where: inside, If: func(h *family.Hit) bool {
					return int(h.Num("pid")) != h.P.VPID && int(h.Num("pid")) != h.P.PID && !who.Trusted(h.P, debuggers)
				}, Do: func(h *family.Hit) { h.Tell("vm", fmt.Sprintf("into pid %d", h.Num("pid"))) }},
				{Kinds: family.Opens, Magic: []uint64{family.MagicProc}, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Write: bulwark.Yes, Paths: family.Ends("/mem")}, If: othersMemory},
			}},
	}
}

var debuggers = who.Names("gdb gdbserver dlv lldb lldb-server strace ltrace criu perf rr")

// othersMemory tells whether it is /proc/PID/mem of another process.
func othersMemory(h *family.Hit) bool {
	parts := strings.Split(h.Path(), "/")
	if len(parts) < 3 || parts[len(parts)-1] != "mem" {
		return false
	}
	pid := ""
	for i, p := range parts {
		if p == "proc" && i+1 < len(parts) {
			pid = parts[i+1]
		}
	}
	own := pid == fmt.Sprint(h.P.VPID) || pid == fmt.Sprint(h.P.PID) || pid == "self" || pid == "thread-self"
	return pid != "" && !own && !who.Trusted(h.P, debuggers) && outOfEngine(h)
}

var (
	runtimeNames = []string{"/runc", "/docker-runc", "/crun", "/youki", "/runsc", "/containerd-shim", "/containerd-shim-runc-v2", "/conmon", "/buildkit-runc"}
	socketNames  = []string{"/docker.sock", "/containerd.sock", "/containerd.sock.ttrpc", "/crio.sock", "/podman.sock", "/dockershim.sock", "/cri-dockerd.sock", "/k3s/containerd/containerd.sock", "/frakti.sock", "/buildkitd.sock"}
)

const textBusy = -26

// brokers are given the socket on purpose.
var brokers = who.Names("traefik portainer watchtower agent datadog-agent process-agent cadvisor promtail alloy grafana-agent otelcol otelcol-contrib telegraf filebeat metricbeat fluent-bit vector gitlab-runner act_runner dozzle diun falco tetragon kubelet containerd dockerd crictl buildkitd node_exporter netdata zabbix_agent autoheal docker-gen caddy swarm-cronjob docker-socket-proxy haproxy")

func engines() []family.Rule {
	return []family.Rule{
		{Name: "runtime-overwrite", Title: "A container writes to the program that starts containers", Severity: bulwark.SeverityCritical, Tags: []string{"attack:T1611", "attack:T1554"},
			References: []string{"https://nvd.nist.gov/vuln/detail/CVE-2019-5736"},
			Why:        "runc runs for a moment inside of the container, where /proc/PID/exe is the node's own file of it. Written to, it runs as root of the node with the next container (CVE-2019-5736). Critical; high where the kernel still refused since the program was running: attackers try until it is not.",
			Noise:      "Installing runc into an image writes the image's own file, and is not told.",
			Fix:        "Update runc, and stop the container. Compare the node's runc with that of its package.", Every: time.Minute,
			Looks: []family.Look{
				{Kinds: family.Opens, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Write: bulwark.Yes, Paths: family.Ends(runtimeNames...)}, If: func(h *family.Hit) bool {
					raw := string(h.Text("name"))
					return h.FD.Outside || strings.HasPrefix(raw, "/proc/") || ownMount(h, h.Path())
				}},
				{Kinds: family.Opens, Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.Yes, Write: bulwark.Yes, Paths: append(family.Begins("/proc/"), family.Ends(runtimeNames...)...)}, If: func(h *family.Hit) bool {
					raw := string(h.Text("name"))
					return h.Result == textBusy && (strings.HasSuffix(raw, "/exe") || strings.Contains(raw, "/fd/") || ownMount(h, h.Path()))
				}, Do: func(h *family.Hit) { h.TellAs(bulwark.SeverityHigh, "busy", "the file is a program that is running") }},
			}},
		{Name: "runtime-socket", Title: "A container speaks to the container engine of its node", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1610", "attack:T1611"}, References: []string{"https://docs.docker.com/engine/security/protect-access/"},
			Why:   "Whoever may speak to the engine may start a container that has the whole node. High and not critical, because some containers (proxies, builders, monitors) are given the socket on purpose. The shim's own socket is critical: nothing but the engine uses it (CVE-2020-15257).",
			Noise: "Containers that manage others by design: told once a day each, and low where the program is known for it (Traefik, Portainer, agents of monitoring).",
			Fix:   "Do not mount the socket; put a proxy that lets single requests through before it.", Every: 24 * time.Hour,
			Looks: []family.Look{
				{Kinds: "connect", Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Paths: family.Ends(socketNames...)}, If: outOfEngine, Do: func(h *family.Hit) {
					if who.OfImage(h.P, brokers) {
						h.TellAs(bulwark.SeverityLow, h.Path()+who.Program(h.P), "this program is known to manage or watch containers")
						return
					}
					h.Tell(h.Path() + who.Program(h.P))
				}},
				{Kinds: "connect", Where: bulwark.Where{Container: bulwark.Yes, Failed: bulwark.No, Paths: family.Begins("@/containerd-shim/", "\x00/containerd-shim/")}, If: outOfEngine},
			}},
	}
}

// ownMount tells whether a path is in a folder that the container has of its node.
func ownMount(h *family.Hit, name string) bool {
	for _, m := range h.C.Mounts {
		if strings.HasPrefix(name, strings.TrimSuffix(m.Dest, "/")+"/") && (m.Source == "/" || strings.HasPrefix(m.Source, "/usr") || strings.HasPrefix(m.Source, "/sbin") || strings.HasPrefix(m.Source, "/bin")) {
			return true
		}
	}
	return false
}
