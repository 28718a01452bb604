// Package who tells what a process is: which program, whose child, and whether a container's engine or the
// container itself made it. Names that processes give themselves (comm, argv[0]) never excuse one.
package who

import (
	"path"
	"strings"

	"bulwark"
)

// deepest is how far parents are looked at.
const deepest = 32

// Set is a set of names of programs.
type Set map[string]bool

// Names makes a set of words.
func Names(words ...string) Set {
	s := Set{}
	for _, w := range words {
		for name := range strings.FieldsSeq(w) {
			s[name] = true
		}
	}
	return s
}

// With is a set that has those of others, too.
func (s Set) With(others ...Set) Set {
	all := Set{}
	for _, o := range append(others, s) {
		for name := range o {
			all[name] = true
		}
	}
	return all
}

// Program is the file name of what a process executes, without the version at its end: "python" of
// /usr/bin/python3.11; its comm where the file is not known.
func Program(p *bulwark.Process) string {
	name := p.Name
	if p.Path != "" {
		name = path.Base(strings.TrimSuffix(p.Path, " (deleted)"))
	}
	return Unversioned(name)
}

// Unversioned takes the version from the end of a program's name.
func Unversioned(name string) string {
	if short := strings.TrimRight(name, "0123456789."); short != "" {
		return strings.TrimRight(short, "-")
	}
	return name
}

// Is tells whether a process executes one of the programs, or says so: by file, comm or argv[0]. It accuses; see
// [Trusted] for what excuses.
func Is(p *bulwark.Process, s Set) bool {
	return s[Program(p)] || s[Unversioned(path.Base(strings.TrimPrefix(p.Exe, "-")))] && multi[Program(p)]
}

// multi are programs that are many by the name that they are called.
var multi = Names("busybox toybox coreutils")

// places are where programs belong.
var places = []string{"/usr/", "/bin/", "/sbin/", "/lib/", "/opt/", "/nix/store/", "/snap/"}

// Trusted tells whether a process executes one of the programs as the image or the node had it, and where programs
// belong: what a container wrote itself is excused by no name.
func Trusted(p *bulwark.Process, s Set) bool {
	return s[Program(p)] && Original(p) && (p.Path == "" && p.Container == nil || InPlace(p.Path))
}

// OfImage tells whether a process executes one of the programs as its image had it, wherever that is; on the node it is
// [Trusted].
func OfImage(p *bulwark.Process, s Set) bool {
	return Trusted(p, s) || s[Program(p)] && Original(p) && p.File.Lower
}

// Original tells whether the program is as the image or the node had it.
func Original(p *bulwark.Process) bool {
	return !p.File.Upper && !p.File.Memory && !p.File.Deleted
}

// InPlace tells whether a file is where programs belong.
func InPlace(file string) bool {
	for _, dir := range places {
		if strings.HasPrefix(file, dir) {
			return true
		}
	}
	return false
}

// Together tells whether two are of one container, or both of the node.
func Together(p, q *bulwark.Process) bool {
	if p.Container == nil || q.Container == nil {
		return p.Container == q.Container
	}
	return p.Container == q.Container || p.Container.ID == q.Container.ID
}

// Entered tells whether a process came into its container from without: its engine made it.
func Entered(p *bulwark.Process) bool {
	return p.Container != nil && (p.Parent == nil && p.VPID <= 1 || p.Parent != nil && !Together(p, p.Parent))
}

// First tells whether a process is the one that its container began with.
func First(p *bulwark.Process) bool {
	return Entered(p) && (p.VPID == 1 || p.Container.PID != 0 && p.Container.PID == p.PID)
}

// Top is the process of the same container that came in from without, p itself perhaps.
func Top(p *bulwark.Process) *bulwark.Process {
	for range deepest {
		if p.Parent == nil || !Together(p, p.Parent) {
			break
		}
		p = p.Parent
	}
	return p
}

// ByEngine tells whether a process descends from one that an engine brought in after the start: "docker exec",
// "kubectl exec", a health check.
func ByEngine(p *bulwark.Process) bool {
	top := Top(p)
	return Entered(top) && !First(top)
}

var runtimes = Names("runc crun youki runsc kata-runtime docker-runc exe conmon containerd-shim containerd-shim-runc-v docker-init buildkit-runc docker-untar")

// Runtime tells whether a process is still the engine's own, which makes the container ready before the container's
// program runs: it came in from without, and executes what no image holds.
func Runtime(p *bulwark.Process) bool {
	if p.Container == nil {
		return false
	}
	for range 4 { // runc forks twice before it executes
		if Entered(p) {
			break
		}
		if p.Parent == nil || !runtimeFile(p) {
			return false
		}
		p = p.Parent
	}
	return Entered(p) && runtimeFile(p)
}

func runtimeFile(p *bulwark.Process) bool {
	if p.File.Upper || p.File.Lower {
		return false
	}
	return runtimes[Program(p)] || strings.Contains(p.Path, "runc_cloned") || strings.Contains(p.Path, "memfd:crun") ||
		p.Path == "/" || p.Path == "" && strings.HasPrefix(p.Name, "runc")
}

// EngineOfNode tells whether a process of the node is a part of a container engine.
func EngineOfNode(p *bulwark.Process) bool {
	return p.Container == nil && (Trusted(p, engines) || strings.Contains(p.Path, "runc_cloned") && under(p, engines))
}

var engines = Names("dockerd containerd crio podman kubelet buildkitd skopeo buildah ctr nerdctl ctd-decoder").With(runtimes)

func under(p *bulwark.Process, s Set) bool { return Above(p, s) != nil }

// Above is the nearest ancestor in the same container that executes one of the programs as the image had it.
func Above(p *bulwark.Process, s Set) *bulwark.Process {
	q := p.Parent
	for range deepest {
		if q == nil || !Together(p, q) {
			return nil
		}
		if Trusted(q, s) {
			return q
		}
		q = q.Parent
	}
	return nil
}

// SeesNode tells whether a process of a container has the node's process ids.
func SeesNode(p *bulwark.Process) bool {
	return p.Container != nil && (p.Container.HostPID || p.VPID != 0 && p.VPID == p.PID)
}

// Installs tells whether a process is a package manager as the image had it, or a child of one.
func Installs(p *bulwark.Process) bool { return Trusted(p, Packagers) || under(p, Packagers) }

// Builds tells whether a process is part of building an image, as far as one can tell: the container began
// with a shell whose command, which nobody in it can change any more, installs packages.
func Builds(p *bulwark.Process) bool {
	top := Top(p)
	if top.Container == nil || !First(top) || !Trusted(top, Shells) || len(top.Args) < 2 || top.Args[0] != "-c" {
		return false
	}
	for _, words := range installing {
		if strings.Contains(top.Args[1], words) {
			return true
		}
	}
	return false
}

var installing = []string{
	"apt-get ", "apt install", "apk add", "apk --", "yum ", "dnf ", "microdnf ", "zypper ", "pip install", "pip3 install",
	"npm install", "npm ci", "yarn install", "go build", "cargo build", "bundle install", "composer install", "make ",
}

// Workshop tells whether a container is there for people or machines to build in: its labels, variables and pod say so,
// as they were when it was made, which nobody within can change. Compilers, package managers and programs that were
// just built run there all day.
func Workshop(c *bulwark.Container) bool {
	if c == nil {
		return false
	}
	for name := range c.Labels {
		for _, begin := range workshopLabels {
			if strings.HasPrefix(name, begin) {
				return true
			}
		}
	}
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		if workshopEnv[name] && value != "" && value != "false" && value != "0" {
			return true
		}
	}
	return c.Pod != nil && strings.HasPrefix(c.Pod.Name, "runner-") && strings.Contains(c.Pod.Name, "-project-")
}

var (
	workshopLabels = []string{"com.gitlab.gitlab-runner", "devcontainer.", "vsch.", "com.visualstudio.code", "com.jetbrains.gateway", "dev.containers.", "io.buildkite.", "com.github.actions"}
	workshopEnv    = Names("GITLAB_CI GITHUB_ACTIONS JENKINS_URL BUILDKITE CIRCLECI TF_BUILD TEAMCITY_VERSION DRONE CI_PIPELINE_ID REMOTE_CONTAINERS CODESPACES GITPOD_WORKSPACE_ID")
)

// The sets that several families speak of.
var (
	Shells       = Names("sh bash dash ash zsh ksh mksh fish csh tcsh busybox rbash pwsh")
	Interpreters = Names("python perl ruby php lua node nodejs tclsh awk gawk mawk")
	Fetchers     = Names("curl wget aria2c fetch axel ftp tftp lftp scp rsync")
	Readers      = Names("cat head tail less more grep egrep fgrep rg sed awk gawk mawk cp dd base base64 xxd od hexdump strings tar gzip zip cut sort tee xargs find vi vim nano mv scp rsync openssl")
	Connectors   = Names("nc ncat netcat socat telnet openssl ssh")
	Packagers    = Names("apt apt-get aptitude dpkg dpkg-deb dpkg-preconfigure debconf apk rpm yum dnf microdnf tdnf zypper pacman snapd opkg unattended-upgrade unattended-upgr snap flatpak update-rc.d")
	Languages    = Names("pip pip3 npm yarn pnpm gem bundle bundler composer cargo go cpan conda uv")
	Accounts     = Names("useradd adduser userdel deluser usermod groupadd addgroup groupdel groupmod passwd chpasswd chage chsh chfn gpasswd newusers pwconv grpconv vipw vigr su sudo login sshd systemd systemd-sysusers systemd-homed accounts-daemon cloud-init ucf update-passwd")
	Managers     = Names("puppet chef-client salt-minion cloud-init ansible ansible-playbook cf-agent")
)
