//go:build linux

package hostile

import (
	"bufio"
	"cmp"
	"hash/crc32"
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

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// token is one of GitHub's, with its checksum, that nobody was given.
func token(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, seed))
	b := []byte("gh" + "p_")
	for range 30 {
		b = append(b, base62[r.IntN(len(base62))])
	}
	sum := crc32.ChecksumIEEE(b[4:])
	for n := uint32(916132832); n > 0; n /= 62 { // 62^5
		b = append(b, base62[sum/n%62])
	}
	return string(b)
}

// planted is a line with a token, for files that must be read although others are bad.
func planted(seed uint64) string { return "GITHUB_TOKEN=" + token(seed) + "\n" }

// inside looks inside of files for all that has no need of advisories.
func (r *room) inside(args ...string) *result {
	r.t.Helper()
	return r.only("secret,malware,misconfig", args...)
}

func (r *room) only(kinds string, args ...string) *result {
	r.t.Helper()
	r.most = cmp.Or(r.most, maxScan)
	return r.scan(append([]string{"--only", kinds}, args...)...)
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

// finds tells whether the token is found at the path.
func (res *result) finds(path string, seed uint64) bool {
	s := token(seed)
	return res.has("secret/github-pat", path, s[:4]+"…"+s[len(s)-2:])
}

// mustFind wants the tokens that were planted.
func (res *result) mustFind(t *testing.T, path string, seeds ...uint64) {
	t.Helper()
	for _, s := range seeds {
		if !res.finds(path, s) {
			t.Errorf("the token %d in %s is not found; %d findings, notes %.1000v", s, path, len(res.report.Findings), res.report.Notes)
		}
	}
}
