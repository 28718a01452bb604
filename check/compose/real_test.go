package compose

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"bulwark"
	"bulwark/extract/buildfile"
	"bulwark/internal/patch"
)

// TestReal judges the files of the modules that were downloaded: none gives trouble, and
// what the patches change is mended, in a file that can still be read.
func TestReal(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(string(out))
	files, findings, patched := 0, 0, 0
	_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && p == filepath.Join(root, "cache") {
			return fs.SkipDir
		}
		kind := kindOf(filepath.ToSlash(strings.TrimPrefix(p, root+"/")))
		if kind == "" || d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files++
		found, n := mend(t, p, kind, data)
		findings, patched = findings+found, patched+n
		return nil
	})
	t.Logf("%d files, %d findings, %d patches", files, findings, patched)
}

// mend applies all patches until there are none.
func mend(t *testing.T, p, _ string, data []byte) (findings, patched int) {
	t.Helper()
	for round := range 6 {
		found, notes := judgeText(t, string(data))
		if round == 0 {
			findings = len(found)
		}
		for _, n := range notes {
			if (round > 0 || !strings.Contains(n, "malformed")) && !strings.Contains(n, "was not judged") {
				t.Errorf("%s: %s", p, n)
			}
		}
		var patches []bulwark.Patch
		for _, f := range found {
			if f.Fix.Patch != nil {
				patches = append(patches, *f.Fix.Patch)
			}
		}
		if len(patches) == 0 {
			return findings, patched
		}
		patched += len(patches)
		files, _ := patch.Join(patches)
		changed, err := files[0].Apply(data)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			return findings, patched
		}
		data = changed
	}
	t.Errorf("%s: patches have no end", p)
	return findings, patched
}

// kindOf takes compose files.
func kindOf(p string) string {
	if k := buildfile.Kind(p); k == buildfile.Compose {
		return k
	}
	return ""
}
