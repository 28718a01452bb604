package python

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
)

func TestRecorded(t *testing.T) {
	sum := sha256.Sum256([]byte("import os\n"))
	digest := "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:])
	content := strings.Join([]string{
		"yaml/__init__.py," + digest + ",10",
		"yaml/_yaml.cpython-311-x86_64-linux-gnu.so," + digest + "=,10",
		"../../../bin/yamlc," + digest + ",10",
		"yaml/README.txt," + digest + ",10",
		"yaml/short.py,sha256=AAAA,10",
		"yaml/other.py,sha512=AAAA,10",
		`"yaml/a,b.py",` + digest + ",10",
		"PyYAML-6.0.dist-info/RECORD,,",
		"yaml/__pycache__/__init__.cpython-311.pyc,,",
	}, "\r\n")
	f := file("usr/local/lib/python3.11/site-packages/PyYAML-6.0.dist-info/RECORD", content)
	if !New().Wants(&f.FileInfo) {
		t.Error("Wants refuses it")
	}
	facts, err := New().Extract(t.Context(), f)
	if err != nil || len(facts.Packages) > 0 || len(facts.Owned) > 0 {
		t.Errorf("got %+v, %v", facts, err)
	}
	d := bulwark.NewDigest(bulwark.SHA256, sum[:])
	home := "usr/local/lib/python3.11/site-packages/yaml/"
	want := []bulwark.Recorded{{Package: "PyYAML", Format: "pypi", Paths: []string{home + "__init__.py", home + "_yaml.cpython-311-x86_64-linux-gnu.so"}, Digests: []bulwark.Digest{d, d}}}
	if diff := cmp.Diff(want, facts.Recorded); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzRecorded(f *testing.F) {
	f.Add("a.py,sha256=AAAA,10\n")
	f.Fuzz(func(t *testing.T, content string) {
		facts, _ := New().Extract(t.Context(), file("opt/v/lib/python3.11/site-packages/x-1.dist-info/RECORD", content))
		for _, r := range facts.Recorded {
			if len(r.Paths) != len(r.Digests) {
				t.Errorf("%d paths and %d digests", len(r.Paths), len(r.Digests))
			}
		}
	})
}
