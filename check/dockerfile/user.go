package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
	df "bulwark/build/dockerfile"
	"bulwark/check/internal/misconfig"
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
		if !j.addUser(r, last) && !r.last.hygiene {
			j.addNumber(r, stage, last)
		}
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
// creates a user; it tells whether it does.
func (j *judge) addUser(r *result, last *df.Stage) bool {
	name, made := createdUser(last)
	if name == "" || r.Fix == nil {
		return false
	}
	r.fix(fmt.Sprintf("USER %s before the command: the file creates that user in line %d", name, made))
	j.insertUser(r, last, name, made)
	return true
}

// addNumber makes the patch for a file that creates no user, where the base image is known
// and nothing says that the program starts as root for a reason: a number needs no account.
func (j *judge) addNumber(r *result, root, last *df.Stage) {
	if user := plainUser(root.Image); user != "" && !wantsRoot(last) {
		r.fix("USER " + user + " before the command, and give it the folders that the program writes to (COPY --chown); a number needs no account")
		j.insertUser(r, last, user, 0)
	}
}

const nonRoot = "65532:65532" // as in distroless images

// plain are images of systems and runtimes: what starts in them is the file's own choice.
var plain = strings.Fields("alpine debian ubuntu busybox fedora almalinux rockylinux oraclelinux amazonlinux buildpack-deps python golang ruby rust perl elixir erlang swift dart julia clojure pypy gcc haskell eclipse-temurin openjdk amazoncorretto ibm-semeru-runtimes sapmachine bash")

// plainUser is whom an image may run as though nothing was done for it; "" when that is not known.
func plainUser(image string) string {
	host, repository := parseReference(image).registry()
	name, library := strings.CutPrefix(repository, "library/")
	switch {
	case image == "scratch", host == "gcr.io" && strings.HasPrefix(repository, "distroless/"):
		return nonRoot
	case host != "docker.io" || !library:
		return ""
	case name == "node":
		return "node" // which it creates
	case slices.Contains(plain, name):
		return nonRoot
	}
	return ""
}

// wantsRoot tells whether a stage starts a script or daemon that may need root, or listens
// at a port that older engines give to root alone.
func wantsRoot(s *df.Stage) bool {
	for ; s != nil; s = s.Parent {
		for _, i := range s.Instructions {
			switch {
			case i.Name == "expose" && slices.ContainsFunc(i.Args, lowPort), (i.Name == "cmd" || i.Name == "entrypoint") && i.Script == nil:
				return true
			case i.Name != "cmd" && i.Name != "entrypoint":
				continue
			}
			for k := range i.Script.Commands {
				if name := i.Script.Commands[k].Name; name == "" || strings.HasSuffix(name, ".sh") || strings.Contains(name, "entrypoint") || slices.Contains(daemons, name) {
					return true
				}
			}
		}
	}
	return false
}

var daemons = strings.Fields("nginx apache2 apache2ctl apachectl httpd sshd cron crond supervisord dockerd containerd systemd init s6-svscan runsvdir dumpcap tcpdump iptables wg-quick openvpn haproxy named dnsmasq postfix dovecot smbd rsyslogd service systemctl")

func lowPort(arg string) bool {
	number, _, _ := strings.Cut(arg, "/")
	n, ok := port(number)
	return ok && n < 1024
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
			r.edits = append(r.edits, misconfig.Edit{Line: i.First, With: []string{"USER " + name, j.line(i.First)}})
			return
		}
	}
}
