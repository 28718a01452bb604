package shell

import (
	"path"
	"strings"
	"time"

	"bulwark"
	"bulwark/detect/internal/family"
	"bulwark/detect/internal/who"
)

// settled is how long a container may install what it needs when it begins.
const settled = 10 * time.Minute

func tools() []family.Rule {
	return []family.Rule{
		{Name: "package-manager", Title: "Software is installed in a running container", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1105", "attack:T1072"}, References: []string{"https://attack.mitre.org/techniques/T1105/"},
			Why:   "What a container needs is in its image; whoever installs more later needs it for something else: a compiler, a scanner. Medium: it may be somebody who mends.",
			Noise: "Containers for building and continuous integration install all day, and are left alone where their labels or variables tell what they are; of others only managers are told that an engine's exec or a server began, and those that run when the container is older than ten minutes.",
			Fix:   "Put the package into the image, and run containers with a read-only root file system.", Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				old := h.C.Started != 0 && h.Time-h.C.Started > int64(settled)
				return installs(h.P) && !who.Builds(h.P) && !who.Workshop(h.C) && (who.ByEngine(h.P) || who.Above(h.P, quiet) != nil || who.Above(h.P, services) != nil || old && who.Above(h.P, builders) == nil)
			}, Do: func(h *family.Hit) { h.Tell(who.Program(h.P)) }}}},
		{Name: "attack-tool", Title: "A tool of intruders runs", Severity: bulwark.SeverityHigh, Tags: []string{"attack:T1613", "attack:T1046", "attack:T1588.002"}, References: []string{"https://attack.mitre.org/techniques/T1613/"},
			Why:   "It is made to get out of containers, to gather rights, to tunnel or to break logins, and is used for little else. High; medium for scanners of networks, which administrators use as well.",
			Noise: "Tests of one's own defence.",
			Fix:   fixFrozen, Every: time.Hour,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool { return toolOf(h.P) != "" }, Do: func(h *family.Hit) {
				name := toolOf(h.P)
				if scanners[name] {
					h.TellAs(bulwark.SeverityMedium, name, "tool "+name)
				} else {
					h.Tell(name, "tool "+name)
				}
			}}}},
		{Name: "key-search", Title: "A container is searched for keys and passwords", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1552.001", "attack:T1552.004", "attack:T1083"}, References: []string{"https://attack.mitre.org/techniques/T1552/"},
			Why:   "grep and find look for the names and first lines of private keys and credentials of clouds. Medium: the search itself takes nothing, but services do not search.",
			Noise: "Scanners for secrets that call grep.",
			Fix:   fixFrozen, Every: 10 * time.Minute,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				return who.Is(h.P, who.Names("grep egrep fgrep rg ag find locate")) && searchesKeys(strings.Join(h.P.Args, " ")) && !who.Builds(h.P) && !who.Installs(h.P)
			}, Do: func(h *family.Hit) { h.Tell("search") }}}},
		{Name: "download-run", Title: "A shell runs what it fetches, unseen", Severity: bulwark.SeverityMedium, Tags: []string{"attack:T1105", "attack:T1059.004"}, References: []string{"https://attack.mitre.org/techniques/T1105/"},
			Why:   "What comes from the network goes straight into a shell, so that no file tells afterwards what ran. Nearly every attack on a service has such a line. Medium, high where it is also decoded or the address is a number; installers are offered in the same way.",
			Noise: "Somebody installs a tool as its page says. Builds of images are not told.",
			Fix:   "Fetch in the build, with a digest.", Every: 10 * time.Minute,
			Looks: []family.Look{{Kinds: family.Execs, Where: beganInside, If: func(h *family.Hit) bool {
				return who.Is(h.P, who.Shells) && fetchesAndRuns(strings.Join(h.P.Args, " ")) && !who.First(h.P) && !who.Builds(h.P)
			}, Do: func(h *family.Hit) { h.Tell("download") }}}},
	}
}

var builders = who.Names("make docker buildkitd buildctl Runner.Worker gitlab-runner jenkins-agent drone kaniko executor buildah act_runner nix-daemon bazel")

// installs tells whether a command line installs, and does not only ask.
func installs(p *bulwark.Process) bool {
	if !who.Is(p, who.Packagers) && !who.Is(p, languages) && !installer(p) || p.Parent != nil && who.Is(p.Parent, who.Packagers) {
		return false
	}
	for _, a := range p.Args {
		switch a {
		case "install", "add", "-i", "--install", "-U", "-Uvh", "-ivh", "localinstall", "reinstall", "dist-upgrade", "-S", "-Sy":
			return true
		}
	}
	return false
}

// installer tells whether an interpreter runs a package manager, which many are scripts: /usr/bin/pip, python3 -m pip.
func installer(p *bulwark.Process) bool {
	name := who.Unversioned(scriptOf(p))
	if len(p.Args) > 1 && p.Args[0] == "-m" && who.Is(p, who.Interpreters) {
		name = p.Args[1]
	}
	return languages[name] || who.Packagers[name]
}

var languages = who.Names("pip npm gem cpan conda yarn pnpm")

// attackTools get out, gather, tunnel and break in; scanners are known to honest people, too.
var (
	attackTools = who.Names("cdk deepce deepce.sh amicontained peirates kubeletctl botb traitor pspy pspy64 linpeas linpeas.sh linenum.sh LinEnum.sh kdigger kubesploit chisel frpc ngrok gost iox ligolo revsocks gsocket gs-netcat hydra medusa patator ncrack sqlmap msfconsole msfvenom meterpreter sliver mimipenguin lazagne crackmapexec responder impacket-secretsdump evil-winrm xmrig proxychains proxychains4 dnscat dnscat2 iodine tsh weevely")
	scanners    = who.Names("nmap masscan zmap zgrab rustscan naabu fscan arp-scan netdiscover unicornscan gobuster ffuf nuclei nikto wpscan dirb tshark")
)

func toolOf(p *bulwark.Process) string {
	for _, name := range []string{path.Base(p.Path), path.Base(p.Exe), who.Program(p), scriptOf(p)} {
		if attackTools[name] || scanners[name] {
			return name
		}
	}
	return ""
}

func scriptOf(p *bulwark.Process) string {
	if len(p.Args) > 0 && (who.Is(p, who.Shells) || who.Is(p, who.Interpreters)) && !strings.HasPrefix(p.Args[0], "-") {
		return path.Base(p.Args[0])
	}
	return ""
}

func searchesKeys(line string) bool {
	for _, what := range []string{"BEGIN PRIVATE", "BEGIN RSA", "BEGIN OPENSSH", "BEGIN DSA", "BEGIN EC", "id_rsa", "id_dsa", "id_ed25519", "id_ecdsa", "aws_secret_access_key", "AWS_SECRET", "aws_access_key", ".aws/credentials", ".kube/config", ".docker/config.json", "accessKeySecret"} {
		if strings.Contains(line, what) {
			return true
		}
	}
	return false
}

func fetchesAndRuns(line string) bool {
	if !strings.Contains(line, "curl") && !strings.Contains(line, "wget") && !strings.Contains(line, "fetch ") {
		return false
	}
	line = strings.ReplaceAll(line, " ", "")
	for _, pipe := range []string{"|sh", "|bash", "|ash", "|dash", "|sudobash", "|sudosh", "|/bin/sh", "|/bin/bash", "|python", "|perl", "|base64-d|", "bash<(", "sh<(", "source<(", "sh-c\"$(", "sh-c'$("} {
		if strings.Contains(line, pipe) {
			return true
		}
	}
	return false
}
