package compose

import (
	"fmt"
	"path"
	"strings"

	"bulwark"
	"bulwark/build/compose"
)

// file is a compose file that was read.
type file struct {
	*compose.File
	doc     *bulwark.Document
	err     error
	patches int // that were asked for
}

// project are the compose files of a target: engines take several of one folder together
// (compose.yaml and compose.override.yaml, or what -f names).
type project struct {
	files  []file
	byPath map[string]bool
	// same are the services of one name in one folder.
	same map[string][]*compose.Service
}

func read(inv *bulwark.Inventory) *project {
	p := &project{byPath: map[string]bool{}, same: map[string][]*compose.Service{}}
	for i := range inv.Documents {
		d := &inv.Documents[i]
		if d.Kind != kind {
			continue
		}
		f, err := compose.Parse(d.Data)
		p.files = append(p.files, file{File: f, doc: d, err: err})
		p.byPath[path.Clean(d.Path)] = true
		for _, s := range f.Services {
			id := path.Dir(d.Path) + "\x00" + s.Name
			p.same[id] = append(p.same[id], s)
		}
	}
	return p
}

// others are the services that the engine may join with this one.
func (p *project) others(f *file, s *compose.Service) []*compose.Service {
	return p.same[path.Dir(f.doc.Path)+"\x00"+s.Name]
}

// unread are the files that a file takes in and that were not judged: by their names
// they are no compose files, or they are elsewhere.
func (p *project) unread(f *file) []string {
	var out []string
	seen := map[string]bool{}
	miss := func(how, name string) {
		if seen[name] || p.byPath[path.Join(path.Dir(f.doc.Path), name)] || len(out) >= mostUnread {
			return
		}
		seen[name] = true
		out = append(out, fmt.Sprintf("%s %q, which was not judged", how, shown(name)))
	}
	for _, n := range f.Includes {
		miss("includes", n.Text())
	}
	for _, s := range f.Services {
		if s.Elsewhere != "" {
			miss("extends a service of", s.Elsewhere)
		}
	}
	return out
}

const mostUnread = 20 // notes of one file

// shown is an address without user and password.
func shown(name string) string {
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return name
	}
	host, more, _ := strings.Cut(rest, "/")
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:] + "/" + more
}
