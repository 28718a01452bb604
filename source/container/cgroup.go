package container

import "strings"

// identity is what the path of a cgroup tells without looking anywhere.
type identity struct {
	id     string
	engine string // "": the path does not tell
	outer  string // id of the container that the container runs in
	pod    string // UID
	path   string // of the container's own cgroup; what lies below belongs to it
	// maybe is a name that a runtime may have given a container: only its state tells.
	maybe string
}

// identify reads the path of a cgroup in its hierarchy. What stands below a container can be made by that
// container: it may name containers within, and never takes a process out of it.
func identify(path string) identity {
	var out identity
	var elements [64]string
	at, list := 0, split(path, elements[:0])
	for i, e := range list {
		end := at + 1 + len(e)
		at = end
		if uid := podUID(e); uid != "" {
			out.pod = pick(out.id == "", uid, out.pod)
		}
		id, engine, monitor := idOf(e, list[:i])
		if monitor && out.id == "" {
			return identity{}
		}
		if id == "" || monitor {
			continue
		}
		if engine == "" && i > 0 {
			engine = byFolder(list[:i])
		}
		out.outer, out.id, out.engine, out.path = out.id, id, engine, path[:min(end, len(path))]
	}
	if out.id == "" && len(list) > 0 {
		out.maybe, out.path = maybe(list[len(list)-1]), path
	}
	return out
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// split is strings.Split without the first, empty element; what is deeper than 64 folders belongs to what is above.
func split(path string, into []string) []string {
	path = strings.TrimPrefix(path, "/")
	for path != "" && len(into) < cap(into) {
		e, rest, _ := strings.Cut(path, "/")
		into, path = append(into, e), rest
	}
	return into
}

// scopes are the names that engines begin those of scopes and folders with.
var scopes = []struct{ prefix, engine string }{
	{"docker-", "docker"}, {"cri-containerd-", "containerd"}, {"nerdctl-", "containerd"}, {"crio-", "cri-o"},
	{"libpod-payload-", "podman"}, {"libpod-", "podman"},
}

// idOf reads one element. monitor: it belongs to the engine's own process that watches a container.
func idOf(e string, before []string) (id, engine string, monitor bool) {
	last := ""
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch {
	case strings.HasPrefix(e, "lxc.monitor."), last == "lxc.monitor":
		return "", "", true
	case strings.HasPrefix(e, "lxc.payload.") && isName(e[12:]):
		return e[12:], "lxc", false
	case (last == "lxc" || last == "lxc.payload") && isName(e):
		return e, "lxc", false
	case last == "buildkit" && len(e) == 25 && only(e, "0123456789abcdefghijklmnopqrstuvwxyz"):
		return e, "buildkit", false
	}
	if slice, rest, ok := strings.Cut(e, ":"); ok { // slice:prefix:id, where a runtime took systemd's form for a folder
		prefix, id, _ := strings.Cut(rest, ":")
		e = prefix + "-" + id
		_ = slice
	}
	e, scope := strings.CutSuffix(e, ".scope")
	if isID(e) {
		return e, "", false
	}
	cut := strings.LastIndexByte(e, '-')
	if cut < 0 {
		return "", "", false
	}
	if scope {
		for _, runtime := range []string{"runc", "crun"} {
			if id, ok := strings.CutPrefix(e, runtime+"-"); ok && isName(id) {
				return id, runtime, false
			}
		}
	}
	if !isID(e[cut+1:]) {
		return "", "", false
	}
	if strings.Contains(e[:cut], "conmon") {
		return "", "", true
	}
	for _, s := range scopes {
		if e[:cut+1] == s.prefix {
			return e[cut+1:], s.engine, false
		}
	}
	return e[cut+1:], "", false
}

// byFolder is the engine whose folder a container is in.
func byFolder(before []string) string {
	switch before[len(before)-1] {
	case "docker":
		return "docker"
	case "libpod_parent":
		return "podman"
	case "default":
		return "containerd"
	}
	return ""
}

// podUID reads kubelet's forms: pod<uid>, and kubepods-...-pod<uid with underscores>.slice, which may have more after a colon.
func podUID(e string) string {
	e, _, _ = strings.Cut(e, ":")
	uid, slice := strings.CutSuffix(e, ".slice")
	if slice {
		i := strings.LastIndex(uid, "-pod")
		if i < 0 {
			return ""
		}
		uid = strings.ReplaceAll(uid[i+1:], "_", "-")
	}
	uid, ok := strings.CutPrefix(uid, "pod")
	if !ok || len(uid) != 36 && len(uid) != 32 || !only(uid, "0123456789abcdef-") {
		return ""
	}
	return uid
}

// isID tells of an id as engines make them.
func isID(s string) bool { return len(s) == 64 && only(s, "0123456789abcdef") }

func only(s, chars string) bool {
	return strings.Trim(s, chars) == "" && strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(chars, r) }) < 0
}

// isName tells of a name that runtimes take for a container.
func isName(s string) bool {
	return s != "" && len(s) <= 255 && s[0] != '.' && only(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")
}

// maybe is the element where it may be the name of a container, and nothing that systemd made.
func maybe(e string) string {
	for _, unit := range []string{".service", ".slice", ".scope", ".mount", ".socket", ".swap", ".device", ".partition"} {
		if strings.HasSuffix(e, unit) {
			return ""
		}
	}
	if !isName(e) {
		return ""
	}
	return e
}
