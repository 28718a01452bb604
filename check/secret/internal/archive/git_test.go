package archive

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
)

// git runs it in a folder.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"}, args...)...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

// objects walks all files below .git/objects, and gives all that was in them as one text.
func objects(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	check(t, filepath.WalkDir(filepath.Join(dir, ".git", "objects"), func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		check(t, err)
		if Sniff(data) == None {
			return nil
		}
		got, err := texts(t, "o", string(data))
		for name, text := range got {
			fmt.Fprintf(&all, "%s\n%s\n", name, text)
		}
		return err
	}))
	return all.String()
}

// TestGit: what a repository had once is found in its objects, alone and in packs, where
// versions of a file are kept as differences.
func TestGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no git on PATH")
		}
		t.Skip("no git on PATH: nothing makes objects")
	}
	dir := t.TempDir()
	git(t, dir, "init", "-q", ".")
	var lines, tokens []string
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		lines = append(lines, fmt.Sprintf("line %d is %x", n, random.Uint64()))
	}
	for n := range 12 { // that all begin alike, as rotated ones do
		token := fmt.Sprintf("prefix-of-more-than-sixteen-characters token=%016x%016x", random.Uint64(), random.Uint64())
		tokens = append(tokens, token)
		text := strings.Join(lines[:10*n], "\n") + "\n" + token + "\n" + strings.Join(lines[10*n:], "\n")
		check(t, os.WriteFile(filepath.Join(dir, "f"), []byte(text), 0o600))
		git(t, dir, "add", "f")
		git(t, dir, "commit", "-q", "-m", "message of "+token)
	}
	for _, step := range [][]string{nil, {"gc", "-q", "--aggressive", "--prune=now"}} {
		if step != nil {
			git(t, dir, step...)
		}
		all := objects(t, dir)
		for _, token := range tokens {
			if n := strings.Count(all, token); n < 2 {
				t.Errorf("after %q: %s is there %d times, want it in a file and in a message", step, token, n)
			}
		}
		if differences := strings.Contains(all, "!change-"); differences != (step != nil) {
			t.Errorf("after %q: differences %v", step, differences)
		}
	}
}

func TestBadGit(t *testing.T) {
	z := func(s string) string {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		w.Write([]byte(s))
		check(t, w.Close())
		return b.String()
	}
	pack := func(n byte, objects ...string) string {
		return "PACK\x00\x00\x00\x02\x00\x00\x00" + string(n) + strings.Join(objects, "")
	}
	blob := "\x33" + z("abc")
	for name, tt := range map[string]struct {
		data string
		want error
	}{
		"a pack":               {pack(1, blob) + strings.Repeat("s", 20), nil},
		"without a checksum":   {pack(1, blob), nil},
		"fewer than it says":   {pack(2, blob), bulwark.ErrMalformed},
		"of no kind":           {pack(1, "\x53"+z("abc")), bulwark.ErrMalformed},
		"not compressed":       {pack(1, "\x33abcdefgh"), bulwark.ErrMalformed},
		"a size without end":   {pack(1, "\xb3"+strings.Repeat("\xff", 12)), bulwark.ErrMalformed},
		"an empty difference":  {pack(1, "\x70"+strings.Repeat("i", 20)+z("")), bulwark.ErrMalformed},
		"a difference cut off": {pack(1, "\x70"+strings.Repeat("i", 20)+z("\x03\x05\x09abc")), bulwark.ErrMalformed},
		"a copy of too much":   {pack(2, blob, "\x65"+string(rune(len(blob)))+z("\x03\x05\x90\x09\x02de")), bulwark.ErrMalformed},
		"a known difference":   {pack(2, blob, "\x65"+string(rune(len(blob)))+z("\x03\x05\x90\x03\x02de")), nil},
		"an order of nothing":  {pack(1, "\x65\x81\x01"+z("\x03\x05\x00abc")), bulwark.ErrMalformed},
		"a difference":         {pack(1, "\x65\x81\x01"+z("\x03\x05\x90\x03\x02de")), nil},
		"an object":            {z("blob 3\x00abc"), nil},
		"one of no size":       {z("blob 3" + strings.Repeat("3", 60)), bulwark.ErrMalformed},
		"one cut off":          {z("blob 3\x00" + "abc0192837465 qwertyuiopasdf")[:30], bulwark.ErrMalformed},
	} {
		if _, err := texts(t, "o", tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for _, s := range []string{z("text that is no object"), z("blob of text"), "x^2 + y^2", "PACKAGE\x00"} {
		if kind := Sniff([]byte(s)); kind != None {
			t.Errorf("%q is of kind %d", s, kind)
		}
	}
}
