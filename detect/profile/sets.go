package profile

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// How much a profile holds of each sort.
const (
	mostProfiles     = 2000
	mostExecutables  = 512
	mostFiles        = 600
	mostLoaded       = 20000
	mostDestinations = 256
	mostListeners    = 64
	mostPeers        = 64
	mostNames        = 512
	mostSyscalls     = 600
	mostCapabilities = 64
	mostUsers        = 64
	mostChanges      = 64
	longestPath      = 4096
	longestLoaded    = 1024
)

// full counts what found no room.
func (p *Profile) full(set string) { p.Full[set]++ }

// add keeps the first use of a thing; false: there is no room.
func add[V any](p *Profile, set string, m map[string]V, most int, key string, v func() V) bool {
	if _, known := m[key]; known {
		return true
	}
	if len(m) >= most {
		p.full(set)
		return false
	}
	m[key] = v()
	return true
}

// images are the folders that hold what images are made of: of what is read there, the folder tells enough.
var images = []string{"/usr/", "/lib/", "/lib64/", "/opt/", "/nix/", "/bin/", "/sbin/", "/app/node_modules/", "/node_modules/"}

// scratch are folders whose files are named by chance.
var scratch = []string{"/tmp/", "/var/tmp/", "/dev/shm/"}

// place is what stands for a file in a profile: the path with numbers of processes taken out, or the folder with "/" at its end
// where that tells enough.
func place(path string, write bool) string {
	if len(path) > longestPath {
		path = path[:longestPath]
	}
	if rest, ok := strings.CutPrefix(path, "/proc/"); ok {
		first, rest, deeper := strings.Cut(rest, "/")
		if digits(first) {
			path = "/proc/*"
			if deeper {
				if task, ok := strings.CutPrefix(rest, "task/"); ok {
					_, rest, _ = strings.Cut(task, "/")
					rest = "task/*/" + rest
				}
				path += "/" + rest
			}
		}
		return path
	}
	for _, dir := range scratch {
		if strings.HasPrefix(path, dir) {
			return dir
		}
	}
	if write {
		return path
	}
	for _, dir := range images {
		if strings.HasPrefix(path, dir) {
			return path[:strings.LastIndexByte(path, '/')+1]
		}
	}
	return path
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// sortOf is how a file is used.
type sortOf int

const (
	reads sortOf = iota
	writes
	maps_
)

func (f *File) of(s sortOf) **Use {
	switch s {
	case writes:
		return &f.Write
	case maps_:
		return &f.Map
	}
	return &f.Read
}

// covered tells whether the file is used so by what the profile has: itself, or a folder that it is in. Whoever may change a
// file may read it.
func (p *Profile) covered(place string, s sortOf) bool {
	has := func(f *File) bool {
		return f != nil && (*f.of(s) != nil || s == reads && (f.Write != nil || f.Map != nil))
	}
	if has(p.Files[place]) {
		return true
	}
	for i := len(place) - 1; i >= 0; i-- {
		if place[i] == '/' && has(p.Files[place[:i+1]]) {
			return true
		}
	}
	return false
}

// file keeps the first use of a file, and says less of where files are as they get many.
func (p *Profile) file(place string, s sortOf, use func() *Use) {
	if p.covered(place, s) {
		return
	}
	f := p.Files[place]
	if f == nil {
		f = &File{}
		p.Files[place] = f
	}
	*f.of(s) = use()
	if len(p.Files) > mostFiles {
		p.fold()
	}
}

// fold makes prefixes of the folders that have most files, until there is room.
func (p *Profile) fold() {
	for len(p.Files) > mostFiles*3/4 {
		count := map[string]int{}
		for path := range p.Files {
			count[parent(path)]++
		}
		// The deepest folder with the most entries is the one whose name still tells most.
		best := slices.MaxFunc(slices.Sorted(maps.Keys(count)), func(a, b string) int {
			return cmp.Or(cmp.Compare(count[a], count[b]), cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")), strings.Compare(b, a))
		})
		if count[best] < 2 { // each is alone in its folder: those above
			best = p.above()
		}
		p.join(best)
		if best == "/" {
			return
		}
	}
}

// above is the folder, not the root, that has most below it at any depth.
func (p *Profile) above() string {
	count := map[string]int{}
	for path := range p.Files {
		for up := parent(path); up != "/"; up = parent(up) {
			count[up]++
		}
	}
	if len(count) == 0 {
		return "/"
	}
	best := slices.MaxFunc(slices.Sorted(maps.Keys(count)), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[a], count[b]), cmp.Compare(len(a), len(b)), strings.Compare(b, a))
	})
	if count[best] < 2 {
		return "/"
	}
	return best
}

// parent is the folder that a path lies in, with "/" at its end.
func parent(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[:strings.LastIndexByte(path, '/')+1]
}

// join makes one entry of all below a folder: each sort has its first use.
func (p *Profile) join(dir string) {
	all := &File{}
	for path, f := range p.Files {
		if !strings.HasPrefix(path, dir) {
			continue
		}
		for s := reads; s <= maps_; s++ {
			if to, from := all.of(s), *f.of(s); from != nil && (*to == nil || from.At.Before((*to).At) || from.At.Equal((*to).At) && from.String() < (*to).String()) {
				*to = from
			}
		}
		delete(p.Files, path)
	}
	p.Files[dir] = all
}

// widths are how much of an address is kept as networks get many.
var widths = []struct{ four, six int }{{32, 128}, {24, 64}, {16, 48}, {0, 0}}

// wide is the network with a width; the loss of exactness is the price of bounded profiles.
func wide(a netip.Addr, w int) netip.Prefix {
	bits := widths[w].four
	if a.Is6() {
		bits = widths[w].six
	}
	n, _ := a.Prefix(bits)
	return n
}

// netText writes a network; one address without its width.
func netText(n netip.Prefix) string {
	if n.IsSingleIP() {
		return n.Addr().String()
	}
	return n.String()
}

// NetOf reads what netText wrote.
func NetOf(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	n, err := netip.ParsePrefix(s)
	return n, err == nil
}

func endKey(proto, net string, port uint16) string {
	return proto + " " + net + " " + strconv.Itoa(int(port))
}

// to finds the destination that covers an address, by itself, its network, its pod or the name that was asked for.
func (p *Profile) to(proto string, a netip.Addr, port uint16, pod *Pod, name string) *Destination {
	for w := range widths {
		if d := p.Destinations[endKey(proto, netText(wide(a, w)), port)]; d != nil {
			return d
		}
	}
	if pod == nil && name == "" {
		return nil
	}
	for _, d := range p.Destinations {
		if d.Proto == proto && d.Port == port && (pod != nil && d.Pod.same(pod) || name != "" && d.Name == name) {
			return d
		}
	}
	return nil
}

func (p *Pod) same(q *Pod) bool {
	return p != nil && q != nil && p.Namespace == q.Namespace && len(p.Labels) > 0 && maps.Equal(p.Labels, q.Labels)
}

// from is [Profile.to] for who connects.
func (p *Profile) from(proto string, a netip.Addr, port uint16, pod *Pod) *Peer {
	for w := range widths {
		if d := p.Peers[endKey(proto, netText(wide(a, w)), port)]; d != nil {
			return d
		}
	}
	if pod == nil {
		return nil
	}
	for _, d := range p.Peers {
		if d.Proto == proto && d.Port == port && d.Pod.same(pod) {
			return d
		}
	}
	return nil
}

// keepDestination adds one; when there are many, those of public networks that share a port become networks.
func (p *Profile) keepDestination(d *Destination) {
	p.Destinations[endKey(d.Proto, d.Net, d.Port)] = d
	for w := 1; w < len(widths) && len(p.Destinations) > mostDestinations; w++ {
		for key, d := range p.Destinations {
			n, ok := NetOf(d.Net)
			if d.Proto == "unix" || !ok {
				continue
			}
			n = wide(n.Addr(), w)
			if d.Net = netText(n); w > 0 {
				d.Pod, d.Name = nil, ""
			}
			delete(p.Destinations, key)
			if old := p.Destinations[endKey(d.Proto, d.Net, d.Port)]; old == nil || d.At.Before(old.At) {
				p.Destinations[endKey(d.Proto, d.Net, d.Port)] = d
			}
		}
	}
	for len(p.Destinations) > mostDestinations { // ports, or sockets: nothing makes them fewer
		delete(p.Destinations, endKey(d.Proto, d.Net, d.Port))
		p.full("destinations")
	}
}

// keepPeer is keepDestination for who connects.
func (p *Profile) keepPeer(d *Peer) {
	p.Peers[endKey(d.Proto, d.Net, d.Port)] = d
	for w := 1; w < len(widths) && len(p.Peers) > mostPeers; w++ {
		for key, d := range p.Peers {
			n, ok := NetOf(d.Net)
			if !ok {
				continue
			}
			d.Net, d.Pod = netText(wide(n.Addr(), w)), nil
			delete(p.Peers, key)
			if old := p.Peers[endKey(d.Proto, d.Net, d.Port)]; old == nil || d.At.Before(old.At) {
				p.Peers[endKey(d.Proto, d.Net, d.Port)] = d
			}
		}
	}
	if len(p.Peers) > mostPeers {
		delete(p.Peers, endKey(d.Proto, d.Net, d.Port))
		p.full("peers")
	}
}
