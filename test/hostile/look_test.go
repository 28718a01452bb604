//go:build linux

package hostile

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bulwark"
)

// maxScan is what a scan that looks inside of files may take, in KB: the package scan's
// budgets are for images that are bombs as well.
const maxScan = 180 << 10

// accessKey is the id of a key that nobody was given.
func accessKey(seed uint64) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	r := rand.New(rand.NewPCG(seed, seed))
	id := []byte("AK" + "IA")
	for range 16 {
		id = append(id, alphabet[r.IntN(len(alphabet))])
	}
	return string(id)
}

// shownKey is what a finding shows of it.
func shownKey(seed uint64) string {
	id := accessKey(seed)
	return id[:4] + "…" + id[len(id)-2:]
}

// planted is a line with the key, for files that must be read although others are bad.
func planted(seed uint64) string { return "AWS_ACCESS_KEY_ID=" + accessKey(seed) + "\n" }

// inside looks inside of what lies in a folder of the room.
func (r *room) inside(args ...string) *result {
	r.t.Helper()
	r.most = maxScan
	return r.scan(append([]string{"--only", "secret,malware,misconfig"}, args...)...)
}

// spill writes a file of the room in pieces.
func (r *room) spill(name string, write func(io.Writer)) string {
	r.t.Helper()
	p := r.path("in", name)
	check(r.t, os.MkdirAll(filepath.Dir(p), 0o755))
	f, err := os.Create(p)
	check(r.t, err)
	w := bufio.NewWriterSize(f, 1<<20)
	write(w)
	check(r.t, w.Flush())
	check(r.t, f.Close())
	return p
}

// fill writes so many bytes of a text over and over.
func fillWith(t testing.TB, w io.Writer, text string, size int64) {
	t.Helper()
	_, err := io.CopyN(w, &again{text: text}, size)
	check(t, err)
}

// has tells whether a finding of the rule is at the path (empty: anywhere) and shows the text.
func (res *result) has(rule, path, text string) bool {
	return slices.ContainsFunc(res.report.Findings, func(f bulwark.Finding) bool {
		there := path == "" || f.Path == path || slices.ContainsFunc(f.Places, func(p bulwark.Place) bool { return p.Path == path })
		return f.Rule == rule && there && (strings.Contains(strings.Join(f.Evidence, "\n"), text) || strings.Contains(f.Subject, text))
	})
}

// noted tells whether a note that makes the run incomplete says something.
func (res *result) noted(text string) bool {
	return slices.ContainsFunc(res.report.Notes, func(n bulwark.Note) bool { return n.Incomplete && strings.Contains(n.Path+": "+n.Text, text) })
}

// mustFind wants the keys that were planted.
func (res *result) mustFind(t *testing.T, path string, seeds ...uint64) {
	t.Helper()
	for _, s := range seeds {
		if !res.has("secret/aws-access-key", path, shownKey(s)) {
			t.Errorf("the key %d in %s is not found; %d findings, notes %.1000v", s, path, len(res.report.Findings), res.report.Notes)
		}
	}
}
