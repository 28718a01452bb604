package image

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"bulwark/check/internal/misconfig"
)

// name judges the reference that the image was asked for by, or the name that an archive
// has for it.
func (s *subject) name() {
	ref := s.t.Asset.Name
	if tag := s.t.Asset.Labels["repoTag"]; tag == "latest" || strings.HasSuffix(tag, ":latest") {
		s.emit(latest.Finding("reference", "", "the archive calls the image "+tag))
		return
	}
	if s.t.Asset.Kind != "image" || s.t.Image.ConfigDigest == "" || strings.Contains(ref, "@") {
		return
	}
	switch {
	case strings.HasSuffix(ref, ":latest"):
		s.emit(latest.Finding("reference", "", ref))
	case s.t.Image.ManifestDigest != "" && untagged(ref):
		s.emit(latest.Finding("reference", "", ref+" has no tag, which means latest"))
	}
}

// untagged tells whether a reference has no tag, and looks like no file.
func untagged(ref string) bool {
	last := path.Base(ref)
	return ref != "" && !strings.ContainsAny(ref[:1], "/.~") && !strings.ContainsAny(last, ":.@ ") && ref == strings.ToLower(ref)
}

// labels judges whether anything says where the image is from.
func (s *subject) labels() {
	for _, end := range []string{"source", "revision"} {
		key := "org.opencontainers.image." + end
		old := map[string]string{"source": "org.label-schema.vcs-url", "revision": "org.label-schema.vcs-ref"}[end]
		for _, m := range []map[string]string{s.t.Image.Labels, s.t.Image.Annotations} {
			if m[key] != "" || m[old] != "" {
				return
			}
		}
	}
	s.emit(provenance.Finding("labels", "", "neither a label nor an annotation org.opencontainers.image.source or .revision"))
}

// user judges whom the container runs as.
func (s *subject) user() {
	user, _, _ := strings.Cut(s.User, ":")
	user = strings.TrimSpace(user)
	how := fmt.Sprintf("User is %q", s.User)
	if user == "" {
		how = "no USER is set, which means root"
		if s.User != "" {
			how += fmt.Sprintf(" (%q)", s.User)
		}
	} else if !s.isRoot(user) {
		return
	} else if a := s.account(user); a != nil && a.name != user {
		how += fmt.Sprintf(", which is %s", a.name)
	} else if a != nil && a.name != "root" {
		how += ", which has the user id 0"
	}
	s.emit(rootUser.Finding("USER", "", s.said(how, "USER")...))
}

// isRoot looks a user up as the runtime does: by name, then by number.
func (s *subject) isRoot(user string) bool {
	if a := s.account(user); a != nil {
		return a.uid == 0
	}
	if n, err := strconv.Atoi(user); err == nil {
		return n == 0
	}
	return user == "root"
}

func (s *subject) account(user string) *account {
	for i := range s.users {
		if a := &s.users[i]; a.uid >= 0 && (a.name == user || strconv.Itoa(a.uid) == user) {
			return a
		}
	}
	return nil
}

// runsAsRoot tells whether the container starts as root.
func (s *subject) runsAsRoot() bool {
	user, _, _ := strings.Cut(s.User, ":")
	return user == "" || s.isRoot(user)
}

// ports by what listens there, as far as a container should not offer it to strangers.
var (
	remotePorts   = map[int]string{21: "FTP", 22: "SSH", 23: "Telnet", 512: "rexec", 513: "rlogin", 514: "rsh", 2222: "SSH", 2375: "Docker without TLS", 3389: "RDP", 5900: "VNC", 5901: "VNC"}
	databasePorts = map[int]string{1433: "SQL Server", 1521: "Oracle", 2379: "etcd", 3306: "MySQL", 5432: "PostgreSQL", 5984: "CouchDB", 6379: "Redis", 7474: "Neo4j", 8086: "InfluxDB",
		8123: "ClickHouse", 9042: "Cassandra", 9200: "Elasticsearch", 9300: "Elasticsearch", 11211: "memcached", 26257: "CockroachDB", 27017: "MongoDB", 28015: "RethinkDB"}
)

// ports judges what is exposed.
func (s *subject) ports() {
	for _, p := range slices.Sorted(maps.Keys(s.ExposedPorts)) {
		number, protocol, _ := strings.Cut(p, "/")
		n, err := strconv.Atoi(number)
		if err != nil || protocol == "udp" {
			continue
		}
		if what, ok := remotePorts[n]; ok {
			s.emit(remotePort.Finding("EXPOSE "+number, "", s.said(fmt.Sprintf("port %d (%s) is exposed", n, what), "EXPOSE")...))
		}
		if what, ok := databasePorts[n]; ok {
			s.emit(databasePort.Finding("EXPOSE "+number, "", s.said(fmt.Sprintf("port %d (%s) is exposed", n, what), "EXPOSE")...))
		}
	}
}

// systemFolders are no business of an application's volumes.
var systemFolders = []string{"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr", "usr/bin", "usr/lib", "usr/sbin", "var", "var/run", "run/docker.sock", "var/run/docker.sock", "."}

// process judges how the container is started, watched and stopped.
func (s *subject) process() {
	for _, v := range slices.Sorted(maps.Keys(s.Volumes)) {
		if clean := path.Clean(strings.TrimPrefix(v, "/")); slices.Contains(systemFolders, clean) {
			s.emit(systemVolume.Finding("VOLUME "+misconfig.Clean(v), "", s.said("the volume "+v, "VOLUME")...))
		}
	}
	if h := s.Healthcheck; h == nil || len(h.Test) == 0 || h.Test[0] == "NONE" {
		how := "the configuration has no health check"
		if h != nil && len(h.Test) > 0 {
			how = "the health check is turned off"
		}
		s.emit(noHealth.Finding("HEALTHCHECK", "", how))
	}
	switch strings.TrimPrefix(strings.ToUpper(s.StopSignal), "SIG") {
	case "KILL", "9":
		s.emit(stopSignal.Finding("STOPSIGNAL", "", s.said("the stop signal is "+s.StopSignal, "STOPSIGNAL")...))
	}
	if w := path.Clean("/" + s.WorkingDir); strings.HasPrefix(w, "/proc/") {
		s.emit(procWorkdir.Finding("WORKDIR", "", s.said("the working folder is "+s.WorkingDir, "WORKDIR")...))
	}
	s.debuggers()
}

// debuggers finds the debug ports of Java and Node.js that listen on all addresses.
func (s *subject) debuggers() {
	words := slices.Concat(s.Entrypoint, s.Cmd)
	for _, e := range s.Env {
		switch n, v, _ := strings.Cut(e, "="); n {
		case "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CATALINA_OPTS", "NODE_OPTIONS":
			words = append(words, v)
		}
	}
	for _, w := range strings.Fields(strings.Join(words, " ")) {
		switch {
		case strings.Contains(w, "jdwp=") && (strings.Contains(w, "address=*") || strings.Contains(w, "address=0.0.0.0")),
			strings.HasPrefix(w, "--inspect") && strings.Contains(w, "=0.0.0.0"):
			s.emit(debugger.Finding("debugger", "", "started with "+credentials(w)))
			return
		}
	}
}
