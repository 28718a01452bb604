package dockerfile

import (
	"fmt"
	"slices"
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
		Tags: []string{"cis-docker:5.6", "attack:T1021.004"}, Fix: "leave the login service out; use the engine's or the cluster's exec",
		Why:   "A login service in a container has keys and passwords that nobody raises, and goes past what the engine records. Medium.",
		Noise: "Bastion hosts, Git servers, test images."}
	databasePort = &misconfig.Rule{ID: "dockerfile/database-port", Severity: bulwark.SeverityLow, Hygiene: true, Title: "A database's port is exposed",
		Tags: []string{"cis-docker:5.8"}, Fix: "publish it to the network that needs it alone",
		Why: "EXPOSE publishes with -P. Low: for a database's own image it is right.", Noise: "Database images."}
	invalidPort = &misconfig.Rule{ID: "dockerfile/invalid-port", Severity: bulwark.SeverityLow, Hygiene: true, Title: "EXPOSE names no valid port",
		Tags: []string{"hadolint:DL3011"}, Fix: "name ports from 0 to 65535, with /tcp or /udp", Why: "The build fails, or the port is not what was meant. Low.", Noise: "None known."}

	rightsRules = []*misconfig.Rule{rootUser, privilegedBuild, sudoUsed, worldWritable, setuidSet, sshPort, databasePort, invalidPort}
)

// user judges whom the image runs as.
func (j *judge) user() {
	if len(j.file.Stages) == 0 {
		return
	}
	last := j.file.Stages[len(j.file.Stages)-1]
	i, stage := lastUser(last)
	switch {
	case i == nil && (nonRootBase(stage.Image) || export(last) || last.Windows || strings.Contains(stage.Image, "/windows/") || strings.Contains(stage.Image, "nanoserver")):
		return
	case i == nil:
		r := j.found(rootUser, last.From, last.From.First, "USER", "no USER in the last stage, which is built from "+builtFrom(last))
		if !rootBase(stage) {
			r.rate(bulwark.SeverityLow)
			if strings.HasPrefix(stage.Raw, "$") || imageID(stage.Image) || localName(parseReference(stage.Image)) {
				r.hygiene() // not even its name is known
			}
			r.Evidence = append(r.Evidence, "whether "+cut(stage.Raw)+" sets USER is not known")
		}
		if by := changesUser(last); by != "" {
			r.hygiene()
			r.Evidence = append(r.Evidence, "the command changes the user: "+by)
		}
		j.addUser(r, last)
	case isRoot(i.Expand(strings.Join(i.Args, " "))):
		j.addUser(j.found(rootUser, i, i.First, "USER"), last)
	}
}

// builtFrom is what a stage is built from, as it is written and as it is meant.
func builtFrom(s *df.Stage) string {
	root := s
	for root.Parent != nil {
		root = root.Parent
	}
	if root.Image == s.Raw {
		return s.Raw
	}
	return s.Raw + " (" + root.Image + ")"
}

// changesUser is the program by which the command of an image gives root up; "" for none.
func changesUser(s *df.Stage) string {
	for _, i := range s.Instructions {
		if i.Name != "cmd" && i.Name != "entrypoint" || i.Script == nil {
			continue
		}
		for k := range i.Script.Commands {
			c := &i.Script.Commands[k]
			for _, name := range append(c.Wrappers, c.Name) {
				switch name {
				case "gosu", "su-exec", "setpriv", "runuser", "chpst", "s6-setuidgid", "setuidgid", "suexec":
					return name
				}
				if strings.HasSuffix(name, "drop_privs") {
					return name
				}
			}
		}
	}
	return ""
}

// lastUser is the USER that counts, and the first stage of the chain that leads to it.
func lastUser(s *df.Stage) (*df.Instruction, *df.Stage) {
	for {
		for k := len(s.Instructions) - 1; k >= 0; k-- {
			if i := s.Instructions[k]; i.Name == "user" && !i.OnBuild {
				return i, s
			}
		}
		if s.Parent == nil {
			return nil, s
		}
		s = s.Parent
	}
}

// ownUser are images of Docker's library that set USER themselves.
var ownUser = []string{"library/memcached", "library/haproxy", "library/varnish", "library/solr", "library/elasticsearch", "library/kibana", "library/logstash", "library/jetty", "library/sonarqube", "library/open-liberty", "library/websphere-liberty", "library/couchbase-sync-gateway", "library/spark"}

func isRoot(user string) bool {
	user, _, _ = strings.Cut(strings.Trim(user, `"'`), ":")
	return user == "root" || isNumber(user) && strings.Trim(user, "0") == "" || user == "ContainerAdministrator"
}

// export tells whether a stage has files and no program: what is built for its files.
func export(s *df.Stage) bool {
	for ; s != nil; s = s.Parent {
		for _, i := range s.Instructions {
			if i.Name == "cmd" || i.Name == "entrypoint" {
				return false
			}
		}
		if s.Parent == nil {
			return s.Image == "scratch"
		}
	}
	return false
}

// rootBase tells whether a base image is known to leave the user at root.
func rootBase(s *df.Stage) bool {
	ref := parseReference(s.Image)
	host, repository := ref.registry()
	name, library := strings.CutPrefix(repository, "library/")
	if arch, rest, ok := strings.Cut(repository, "/"); ok && slices.Contains([]string{"amd64", "arm64v8", "arm32v7", "i386", "ppc64le", "s390x"}, arch) {
		name, library = rest, true // Docker's library by platform
	}
	switch {
	case len(s.Unknown) > 0 && strings.Contains(ref.name, "$"):
		return false
	case s.Image == "scratch", host == "gcr.io" && strings.HasPrefix(repository, "distroless/"), host == "public.ecr.aws" && strings.HasPrefix(repository, "docker/library/"), host == "mcr.microsoft.com",
		strings.HasSuffix(host, ".redhat.com") || strings.HasSuffix(host, "redhat.io"):
		return true
	}
	return host == "docker.io" && library && officialName(name)
}

// nonRootBase tells whether a base image is known to set USER.
func nonRootBase(image string) bool {
	ref := parseReference(image)
	host, repository := ref.registry()
	if strings.Contains(ref.tag, "nonroot") || strings.Contains(ref.tag, "rootless") || strings.Contains(ref.tag, "unprivileged") || strings.Contains(repository, "unprivileged") {
		return true
	}
	switch host {
	case "cgr.dev", "dhi.io":
		return !strings.HasSuffix(ref.tag, "-dev")
	case "registry.access.redhat.com", "registry.redhat.io":
		return strings.HasPrefix(repository, "ubi") && strings.Count(repository, "-") > 0 && !strings.Contains(repository, "minimal") && !strings.Contains(repository, "init") && !strings.Contains(repository, "micro")
	case "docker.io":
		return strings.HasPrefix(repository, "bitnami/") || repository == "jenkins/jenkins" || slices.Contains(ownUser, repository) || strings.HasPrefix(repository, "grafana/") || strings.HasPrefix(repository, "elastic/")
	}
	return false
}

// addUser makes the patch that adds USER before the last CMD or ENTRYPOINT, when the stage
// creates a user.
func (j *judge) addUser(r *result, last *df.Stage) {
	name, made := createdUser(last)
	if name == "" || r.Fix == nil {
		return
	}
	r.fix(fmt.Sprintf("USER %s before the command: the file creates that user in line %d", name, made))
	j.insertUser(r, last, name, made)
}

// createdUser is the last user that the stages of an image create, and where.
func createdUser(s *df.Stage) (string, int) {
	for ; s != nil; s = s.Parent {
		for k := len(s.Instructions) - 1; k >= 0; k-- {
			i := s.Instructions[k]
			if i.Name != "run" || i.Script == nil {
				continue
			}
			for n := range i.Script.Commands {
				c := &i.Script.Commands[n]
				if name := userOf(c); name != "" {
					return name, c.Line
				}
			}
		}
	}
	return "", 0
}

func userOf(c *df.Command) string {
	if c.Name != "useradd" && c.Name != "adduser" {
		return ""
	}
	ops := c.Operands("-u", "--uid", "-g", "--gid", "-G", "--groups", "-d", "--home", "-h", "-s", "--shell", "-c", "--comment", "-k", "-K", "-b", "-p", "--password", "--gecos", "--ingroup", "--home-dir", "--base-dir", "-e", "-f", "--expiredate")
	if c.Name == "useradd" && len(ops) != 1 || c.Name == "adduser" && len(ops) != 1 {
		return ""
	}
	name := ops[0]
	for i := range len(name) {
		b := name[i]
		if (b < 'a' || b > 'z') && (b < '0' || b > '9' || i == 0) && b != '_' && b != '-' {
			return ""
		}
	}
	if name == "root" {
		return ""
	}
	return name
}

// insertUser puts USER before the first CMD or ENTRYPOINT behind a line, and behind every
// instruction that USER would change.
func (j *judge) insertUser(r *result, last *df.Stage, name string, after int) {
	for _, i := range last.Instructions {
		switch i.Name {
		case "run", "copy", "add", "workdir", "user":
			after = max(after, i.Last)
		}
	}
	for _, i := range last.Instructions {
		if i.First > after && (i.Name == "cmd" || i.Name == "entrypoint") {
			r.edits = append(r.edits, edit{i.First, []string{"USER " + name, j.line(i.First)}})
			return
		}
	}
}

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

// exposed judges the ports of EXPOSE.
func (j *judge) exposed(i *df.Instruction) {
	for _, a := range i.Args {
		a = i.Expand(a)
		if a == "" || strings.Contains(a, "$") {
			continue
		}
		ports, protocol, _ := strings.Cut(a, "/")
		low, high, ranged := strings.Cut(ports, "-")
		if !ranged {
			high = low
		}
		from, ok := port(low)
		to, ok2 := port(high)
		if !ok || !ok2 || from > to || protocol != "" && !strings.EqualFold(protocol, "tcp") && !strings.EqualFold(protocol, "udp") && !strings.EqualFold(protocol, "sctp") {
			j.found(invalidPort, i, i.First, a)
			continue
		}
		for _, p := range []int{22, 23, 2222, 3389, 5900} {
			if from <= p && p <= to && to-from < 1000 && p != 2222 {
				j.found(sshPort, i, i.First, strconv.Itoa(p))
			}
		}
		for _, p := range []int{1433, 1521, 3306, 5432, 5984, 6379, 9042, 9200, 11211, 27017} {
			if from <= p && p <= to && to-from < 1000 {
				j.found(databasePort, i, i.First, strconv.Itoa(p))
			}
		}
	}
}

func port(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= 65535
}
