package compose

import (
	"bulwark"
	"bulwark/check/internal/misconfig"
)

// Rule is what the check looks for, and why.
type Rule = misconfig.Rule

const (
	low      = bulwark.SeverityLow
	medium   = bulwark.SeverityMedium
	high     = bulwark.SeverityHigh
	critical = bulwark.SeverityCritical
)

// The rules. Tags are those of the CIS Docker benchmark (section 5: containers as they
// run) and of ATT&CK.
var (
	privileged = Rule{ID: "compose/privileged", Severity: high, Title: "The container is privileged",
		Tags: []string{"cis-docker:5.5", "attack:T1611"}, Fix: "take privileged out, and add the one capability or device that is needed",
		Why: "it has every capability and every device of the host: root in it is root on the host, without any flaw", Noise: "build runners that run an engine in it (docker:dind)"}
	capability = Rule{ID: "compose/capability", Severity: high, Title: "A dangerous capability is added",
		Tags: []string{"cis-docker:5.4", "attack:T1611"}, Fix: "drop ALL, and add only what the program was seen to need",
		Why:   "high for those that lead to the host by themselves (loading modules, mounting, tracing, raw devices); medium for those that change the network or the clock",
		Noise: "VPN and network tools need NET_ADMIN"}
	hostNamespace = Rule{ID: "compose/host-namespace", Severity: medium, Title: "The container shares a namespace of the host",
		Tags: []string{"cis-docker:5.10", "attack:T1611"}, Fix: "take the line out; publish the ports that are needed",
		Why:   "high for processes and users, whose isolation is gone; medium for network and IPC, where services that listen on localhost come within reach",
		Noise: "monitoring agents and discovery (mDNS) need the host's network or processes"}
	engineSocket = Rule{ID: "compose/engine-socket", Severity: high, Title: "The container engine's socket is mounted",
		Tags: []string{"cis-docker:5.32", "attack:T1610"}, Fix: "put a proxy in between that allows the few calls that are needed",
		Why:   "whoever can write to the socket starts a privileged container: root on the host. Mounting it read-only changes nothing, since calls go through it all the same",
		Noise: "Traefik, Portainer, Watchtower and the like work so, and are worth an exception with an owner"}
	hostMount = Rule{ID: "compose/host-mount", Severity: high, Title: "A sensitive folder of the host is mounted",
		Tags: []string{"cis-docker:5.6", "attack:T1611"}, Fix: "mount the one file that is needed, read-only, or use a named volume",
		Why:   "writable, it changes what the host runs as root: critical for all of it, high for system folders; read-only it still gives keys and configuration away: medium",
		Noise: "monitoring agents read /proc and /sys; /etc/localtime and the like are not reported"}
	propagation = Rule{ID: "compose/mount-propagation", Severity: medium, Title: "Mounts made in the container appear on the host",
		Tags: []string{"cis-docker:5.20"}, Fix: "take shared out, or use slave",
		Why: "a container that may mount changes what the host and other containers see", Noise: "storage drivers work so"}
	publishedData = Rule{ID: "compose/published-port", Severity: medium, Title: "A service that trusts its network is published on all interfaces",
		Tags: []string{"cis-docker:5.14", "attack:T1190"}, Fix: "publish it to this machine alone (127.0.0.1:...), or leave it to the network of the services",
		Why: "engines publish ports past the host's firewall rules, to the internet if the host is on it; high for control interfaces that give everything to " +
			"who reaches them, and for data stores without a password by default",
		Noise: "development machines behind a firewall"}
	noAuth = Rule{ID: "compose/no-authentication", Severity: medium, Title: "The service is told to ask for no password",
		Tags: []string{"attack:T1078"}, Fix: "take the setting out and set a password from a secret",
		Why: "whoever reaches the port has all of it; high when the port is published on all interfaces", Noise: "throw-away services of tests"}
	envSecret = Rule{ID: "compose/env-secret", Severity: medium, Title: "A secret is written into the file",
		Tags: []string{"attack:T1552.001"}, Fix: "use secrets: and NAME_FILE, or ${NAME} from an environment that is not in version control",
		Why:   "everybody who can read the project has it, and so has everything in the container that can read the environment; medium, because it may be a default of development",
		Noise: "well-known defaults of development services; the same value may be reported as a secret too"}
	unconfined = Rule{ID: "compose/unconfined", Severity: medium, Title: "A confinement of the kernel is turned off",
		Tags: []string{"cis-docker:5.22", "cis-docker:5.2", "attack:T1611"}, Fix: "take the line out, or write a profile that allows what is missing",
		Why: "seccomp and AppArmor stop most kernel exploits and escapes; without them the next kernel flaw is enough", Noise: "debuggers and browsers that sandbox themselves"}
	device = Rule{ID: "compose/device", Severity: high, Title: "A device of the host that gives all of it",
		Tags: []string{"cis-docker:5.18", "attack:T1611"}, Fix: "take it out, or name the one device that is needed",
		Why: "disks and memory can be read and written around all file modes", Noise: "disk tools (SMART) need the disk; GPUs, sound, serial lines and kvm are not reported"}
	sysctl = Rule{ID: "compose/sysctl", Severity: low, Title: "A kernel setting is changed that is not the container's own",
		Fix: "set it on the host, for everybody to see", Why: "it changes the host or what it forwards; low, because engines refuse most of them", Noise: "routers and VPNs want forwarding"}
	rootUser = Rule{ID: "compose/root-user", Severity: medium, Title: "The container is told to run as root",
		Tags: []string{"cis-docker:4.1"}, Fix: "give the number of a user: user: \"10001:10001\"",
		Why: "the image may have a user, and this overrides it; medium, because a flaw of kernel or engine is still needed", Noise: "jobs that only fix the owner of a volume"}
	latest = Rule{ID: "compose/latest-image", Severity: low, Hygiene: true, Title: "The image's version is not told",
		Tags: []string{"cis-docker:5.28", "hadolint:DL3007"}, Fix: "name a version, or better a digest",
		Why: "another image runs after the next pull, and nobody can tell which one runs now", Noise: "the project's own image"}
	unpinned = Rule{ID: "compose/unpinned-image", Severity: low, Hygiene: true, Title: "The image is not pinned by digest",
		Fix: "add the digest: name:tag@sha256:...", Why: "whoever controls the tag decides what runs next", Noise: "wanted where updates come through the tag"}
	newPrivileges = Rule{ID: "compose/new-privileges", Severity: low, Hygiene: true, Title: "Set-uid programs may raise rights",
		Tags: []string{"cis-docker:5.26"}, Fix: "security_opt: [\"no-new-privileges:true\"]",
		Why: "with it a set-uid program cannot make root of another user", Noise: "entrypoints that use sudo or su"}
	limits = Rule{ID: "compose/no-limits", Severity: low, Hygiene: true, Title: "Memory is not limited",
		Tags: []string{"cis-docker:5.11"}, Fix: "mem_limit, or deploy.resources.limits.memory, and pids_limit", Why: "one service can take the host down", Noise: "a machine of its own"}
	writableRoot = Rule{ID: "compose/writable-root", Severity: low, Hygiene: true, Title: "The root file system is writable",
		Tags: []string{"cis-docker:5.13"}, Fix: "read_only: true, with tmpfs for what must be written", Why: "an intruder can leave tools and change programs", Noise: "many images write to their own folders"}
	noHealth = Rule{ID: "compose/no-healthcheck", Severity: low, Hygiene: true, Title: "Nothing tells whether the service works",
		Tags: []string{"cis-docker:5.27"}, Fix: "healthcheck: with the command that asks it", Why: "a hung service stays", Noise: "the image may have a HEALTHCHECK; jobs need none"}
	links = Rule{ID: "compose/links", Severity: low, Hygiene: true, Title: "Links are of old",
		Fix: "use networks; services find each other by name", Why: "links pass on the environment of the other container, its secrets too, on old engines", Noise: "an alias is all that was wanted"}
	buildSecret = Rule{ID: "compose/build-arg-secret", Severity: medium, Title: "A secret is a build argument",
		Tags: []string{"attack:T1552.001"}, Fix: "build.secrets, and RUN --mount=type=secret", Why: "build arguments stand in the image's history for whoever can pull it", Noise: "a placeholder that lets the build run"}
)

// Rules lists the rules by id.
func (*Check) Rules() []bulwark.Rule { return misconfig.List(rules()) }

func rules() []*Rule {
	return []*Rule{&privileged, &capability, &hostNamespace, &engineSocket, &hostMount, &propagation, &publishedData, &noAuth, &envSecret, &unconfined, &device, &sysctl,
		&rootUser, &latest, &unpinned, &newPrivileges, &limits, &writableRoot, &noHealth, &links, &buildSecret}
}
