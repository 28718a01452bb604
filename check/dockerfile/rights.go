package dockerfile

import (
	"strconv"
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
)

var (
	rootUser = &misconfig.Rule{ID: "dockerfile/root-user", Severity: bulwark.SeverityMedium, Title: "The container runs as root",
		Tags: []string{"cis-docker:4.1", "dockle:CIS-DI-0001", "hadolint:DL3002"}, Fix: "create a user without privileges and name it by number as the last USER, such as USER 65532:65532",
		Why:   "Whoever breaks into the program is root in the container: one kernel bug or one mount away from the node. Medium: it takes a break-in first; low where the base image may set USER itself, and hygiene where not even its name is known, or where the command gives root up (gosu, su-exec).",
		Noise: "The base image may set USER itself (those known to do so, and stages from scratch without a command, are passed over); a script that is the entrypoint may change the user; images that hold tools for builds."}
	privilegedBuild = &misconfig.Rule{ID: "dockerfile/privileged-build", Severity: bulwark.SeverityHigh, Title: "A RUN asks for privileges or the network of the builder",
		Tags: []string{"attack:T1611"}, Fix: "leave --security=insecure and --network=host out",
		Why:   "--security=insecure runs the commands with all capabilities and no confinement on the build machine: high. --network=host reaches what listens on it: medium. Both need an entitlement of the builder.",
		Noise: "Builds of system images in throw-away machines."}
	sudoUsed = &misconfig.Rule{ID: "dockerfile/sudo", Severity: bulwark.SeverityLow, Title: "sudo is used or installed, or asks for no password",
		Tags: []string{"hadolint:DL3004", "dockle:DKL-DI-0001"}, Fix: "switch with USER in the build; leave sudo out of the image",
		Why:   "sudo in an image undoes its USER. Low for use in the build; medium for NOPASSWD, with which the user is root in all but name.",
		Noise: "Development images."}
	worldWritable = &misconfig.Rule{ID: "dockerfile/world-writable", Severity: bulwark.SeverityLow, Title: "Files are made writable for everybody",
		Tags: []string{"cwe:CWE-732"}, Fix: "give them to the user that needs them: COPY --chown, chmod u+w",
		Why:   "Any process of the container can replace what others read or run. Low: it takes a foothold first.",
		Noise: "Folders for scratch files with the sticky bit; platforms that run containers under random users (better: group 0, g=u)."}
	setuidSet = &misconfig.Rule{ID: "dockerfile/setuid", Severity: bulwark.SeverityMedium, Title: "A program is made set-uid or set-gid",
		Tags: []string{"cis-docker:4.8", "dockle:CIS-DI-0008", "attack:T1548.001"}, Fix: "give it the one capability it needs (setcap), or none",
		Why:   "A program that is root for whoever calls it is the usual way from a user to root in a container. Medium.",
		Noise: "Programs that are made for it and need it (ping needs none today)."}
	sshPort = &misconfig.Rule{ID: "dockerfile/ssh-port", Severity: bulwark.SeverityMedium, Title: "A port for remote login is exposed",
		Tags: []string{"cis-docker:5.7", "attack:T1021.004"}, Fix: "leave the login service out; use the engine's or the cluster's exec",
		Why:   "A login service in a container has keys and passwords that nobody raises, and goes past what the engine records. Medium.",
		Noise: "Bastion hosts, Git servers, test images."}
	databasePort = &misconfig.Rule{ID: "dockerfile/database-port", Severity: bulwark.SeverityLow, Hygiene: true, Title: "A database's port is exposed",
		Tags: []string{"cis-docker:5.8"}, Fix: "publish it to the network that needs it alone",
		Why: "EXPOSE publishes with -P. Low: for a database's own image it is right.", Noise: "Database images."}
	invalidPort = &misconfig.Rule{ID: "dockerfile/invalid-port", Severity: bulwark.SeverityLow, Hygiene: true, Title: "EXPOSE names no valid port",
		Tags: []string{"hadolint:DL3011"}, Fix: "name ports from 0 to 65535, with /tcp or /udp", Why: "The build fails, or the port is not what was meant. Low.", Noise: "None known."}

	rightsRules = []*misconfig.Rule{rootUser, privilegedBuild, sudoUsed, worldWritable, setuidSet, sshPort, databasePort, invalidPort}
)

// rights judges what commands do to files and accounts.
func (s *script) rights() {
	if v, ok := s.i.Flag("security"); ok && v == "insecure" {
		s.found(privilegedBuild, s.i, s.i.First, "--security=insecure")
	}
	if v, ok := s.i.Flag("network"); ok && v == "host" {
		s.found(privilegedBuild, s.i, s.i.First, "--network=host").rate(bulwark.SeverityMedium)
	}
	for k := range s.Commands {
		c := &s.Commands[k]
		s.sudo(c)
		if c.Name == "chmod" {
			s.chmod(c)
		}
	}
}

func (s *script) sudo(c *df.Command) {
	for _, w := range c.Wrappers {
		if w == "sudo" {
			s.about(sudoUsed, c, "sudo")
		}
	}
	switch c.Name {
	case "apt-get", "apt", "apk", "yum", "dnf", "microdnf", "zypper":
		if c.Has("install", "add") && c.Has("sudo") {
			s.about(sudoUsed, c, "sudo")
		}
	case "echo", "printf", "tee", "sed":
		for _, a := range c.Args {
			if strings.Contains(a, "NOPASSWD") && !strings.HasPrefix(strings.TrimSpace(a), "root") {
				s.about(sudoUsed, c, "NOPASSWD").rate(bulwark.SeverityMedium)
				return
			}
		}
	}
}

func (s *script) chmod(c *df.Command) {
	ops := c.Operands()
	for _, a := range c.Args { // chmod -w is no flag that Operands knows
		if len(a) > 1 && a[0] == '-' && !strings.HasPrefix(a, "--") && strings.Trim(a[1:], "rwxst") == "" && strings.ContainsAny(a, "wrxs") {
			return
		}
	}
	if len(ops) < 2 {
		return
	}
	world, special := modeBits(ops[0])
	if special {
		s.about(setuidSet, c, strings.Join(ops[1:], " "))
	}
	if world {
		s.about(worldWritable, c, strings.Join(ops[1:], " "))
	}
}

// modeBits tells whether a mode gives everybody the right to write (without the sticky
// bit), and whether it sets set-uid or set-gid for a program.
func modeBits(mode string) (world, special bool) {
	if isNumber(mode) {
		n, err := strconv.ParseUint(mode, 8, 32)
		if err != nil {
			return false, false
		}
		return n&0o002 != 0 && n&0o1000 == 0, n&0o4000 != 0 || n&0o2000 != 0 && n&0o111 != 0 && n&0o020 == 0
	}
	for clause := range strings.SplitSeq(mode, ",") {
		at := strings.IndexAny(clause, "+=")
		if at < 0 {
			continue
		}
		who, what := clause[:at], clause[at+1:]
		if strings.Contains(what, "w") && strings.ContainsAny(who, "ao") && !strings.Contains(what, "t") {
			world = true
		}
		if strings.Contains(what, "s") && (who == "" || strings.ContainsAny(who, "ua")) {
			special = true
		}
	}
	return world, special
}
