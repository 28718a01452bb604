package scan_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/scan"
)

// unpacked is a root file system as whoever unpacks an image makes it, layer by layer: the
// oracle of merging, which never unpacks anything.
type unpacked struct {
	kind map[string]byte   // of each path: d, f or l
	link map[string]string // of links
	from map[string]int    // the layer that a file is from
}

func newUnpacked() *unpacked {
	return &unpacked{kind: map[string]byte{".": 'd'}, link: map[string]string{}, from: map[string]int{}}
}

// folder resolves the links of a folder's path inside the root; ok is false when it leads
// nowhere, or round and round.
func (u *unpacked) folder(p string) (string, bool) {
	at, rest := ".", strings.Split(p, "/")
	for hops := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		if u.kind[next] != 'l' {
			at = next
			continue
		}
		if hops++; hops > 40 {
			return "", false
		}
		target := u.link[next]
		if strings.HasPrefix(target, "/") {
			at = "."
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, true
}

func (u *unpacked) remove(p string, below bool) {
	for q := range u.kind {
		if q == p && !below || strings.HasPrefix(q, p+"/") {
			delete(u.kind, q)
			delete(u.link, q)
			delete(u.from, q)
		}
	}
}

func (u *unpacked) mkdirs(p string) {
	for ; p != "."; p = path.Dir(p) {
		if k := u.kind[p]; k == 'f' || k == 'l' {
			u.remove(p, false)
		}
		u.kind[p] = 'd'
	}
}

// put adds an entry, whose folders may be links below.
func (u *unpacked) put(p string, kind byte, target string, layer int) {
	dir, ok := u.folder(path.Dir(p))
	if !ok {
		return
	}
	u.mkdirs(dir)
	p = path.Join(dir, path.Base(p))
	if kind == 'd' && u.kind[p] == 'd' {
		return
	}
	u.remove(p, false)
	u.kind[p], u.link[p], u.from[p] = kind, target, layer
}

// randomLayer makes entries of a layer that a real build could have made on top of u, and
// unpacks it.
func randomLayer(r *rand.Rand, u *unpacked, layer int) []string {
	var entries []string
	folders := func() []string {
		list := []string{"."}
		for p, k := range u.kind {
			if k != 'f' && p != "." {
				list = append(list, p)
			}
		}
		slices.Sort(list)
		return list
	}
	seen := map[string]bool{}
	fresh := func(name string, plain bool) (string, bool) {
		dirs := folders()
		dir := dirs[r.IntN(len(dirs))]
		if at, ok := u.folder(dir); plain && (!ok || at != dir) {
			return "", false // no links that are stored behind other links
		}
		if d, ok := u.folder(dir); !ok || u.kind[d] == 'f' {
			return "", false
		}
		p := path.Join(dir, name)
		if seen[p] {
			return "", false
		}
		for q := range seen { // an entry of this layer neither lies in another nor holds it, folders aside
			if strings.HasPrefix(q, p+"/") || strings.HasPrefix(p, q+"/") {
				return "", false
			}
		}
		seen[p] = true
		return p, true
	}
	removals := r.IntN(3)
	if layer == 0 {
		removals = 0
	}
	for range removals {
		var there []string
		for p := range u.kind {
			if p != "." {
				there = append(there, p)
			}
		}
		if len(there) == 0 {
			break
		}
		slices.Sort(there)
		p := there[r.IntN(len(there))]
		if seen[p] || slices.ContainsFunc(there, func(q string) bool { return seen[q] && (strings.HasPrefix(p, q+"/") || strings.HasPrefix(q, p+"/")) }) {
			continue
		}
		seen[p] = true
		if u.kind[p] == 'd' && r.IntN(2) == 0 {
			entries = append(entries, p+"/", p+"/.wh..wh..opq")
			u.remove(p, true)
		} else {
			entries = append(entries, path.Join(path.Dir(p), ".wh."+path.Base(p)))
			u.remove(p, false)
		}
	}
	kinds := make([]int, 1+r.IntN(5))
	for i := range kinds {
		kinds[i] = r.IntN(5)
	}
	slices.Sort(kinds) // folders and links come before what may lie behind them
	for _, kind := range kinds {
		n := r.IntN(4)
		switch kind {
		case 0:
			if p, ok := fresh(fmt.Sprint("d", n), false); ok {
				entries = append(entries, p+"/")
				u.put(p, 'd', "", layer)
			}
		case 1:
			dirs := folders()
			to := dirs[r.IntN(len(dirs))]
			if p, ok := fresh(fmt.Sprint("l", n), true); ok {
				entries = append(entries, p+" -> /"+to)
				u.put(p, 'l', "/"+to, layer)
			}
		default:
			if p, ok := fresh(fmt.Sprint("f", n, ".pkg"), false); ok {
				entries = append(entries, fmt.Sprint(p, "=", "p", layer, "-", len(entries)))
				u.put(p, 'f', "", layer)
			}
		}
	}
	return entries
}

// TestMergeAsUnpacked holds merging to what unpacking the layers over each other gives. One
// thing is left out that builds do not do: a link that is stored behind another link.
func TestMergeAsUnpacked(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		u := newUnpacked()
		var layers []*tree
		var told []string
		for i := range 2 + r.IntN(4) {
			entries := randomLayer(r, u, i)
			layers = append(layers, files(entries...))
			told = append(told, fmt.Sprint(entries))
		}
		report, _ := run(t, &scan.Scanner{Extractors: []bulwark.Extractor{&textExtractor{}}}, image(layers...))
		var got, want []string
		for _, p := range report.Packages {
			got = append(got, p.Path+"@"+p.Layer)
		}
		for p, k := range u.kind {
			if k == 'f' {
				want = append(want, fmt.Sprintf("/%s@sha256:%d", p, u.from[p]))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d\n%s\nvisible files (-unpacked +merged):\n%s", seed, strings.Join(told, "\n"), diff)
		}
	}
}
