package advisory_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bulwark/advisory"
)

// A file may hold a list of records, as the feed of Kubernetes does; what is broken in it
// costs only itself.
func TestListOfRecords(t *testing.T) {
	dir := t.TempDir()
	list := ` [
	 {"id":"CVE-2099-1","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"kubernetes","name":"k8s.io/kubelet"},
	  "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.30.2"},{"introduced":"1.31.0"},{"fixed":"1.31.1"}]}]}]},
	 {"id":7},
	 {"id":"CVE-2099-2","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"kubernetes","name":"k8s.io/apiserver"},
	  "ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"last_affected":"1.31.0"}]}]}]}]`
	if err := os.WriteFile(filepath.Join(dir, "k8s.json"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "db")
	if err := advisory.Build(t.Context(), advisory.BuildOptions{OSV: dir, Now: time.Unix(1_790_000_000, 0)}, file); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, tt := range []struct{ name, version, want string }{
		{"k8s.io/kubelet", "1.30.1", "CVE-2099-1"}, {"k8s.io/kubelet", "1.30.2", ""}, {"k8s.io/kubelet", "1.31.0", "CVE-2099-1"},
		{"k8s.io/kubelet", "1.31.1", ""}, {"k8s.io/apiserver", "1.31.0", "CVE-2099-2"}, {"k8s.io/apiserver", "1.31.1", ""},
	} {
		hits, err := db.Match(nil, advisory.Query{Ecosystem: "kubernetes", Name: tt.name, Version: tt.version})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, h := range hits {
			got += h.ID
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s: %s", tt.name, tt.version, diff)
		}
	}
}

// Feeds are read beside the folder of records.
func TestFeeds(t *testing.T) {
	dir := t.TempDir()
	record := func(id, name string) string {
		file := filepath.Join(dir, id+".json")
		text := `{"id":"` + id + `","modified":"2026-01-02T03:04:05Z","affected":[{"package":{"ecosystem":"Go","name":"` + name + `"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	file := filepath.Join(dir, "db")
	o := advisory.BuildOptions{OSV: record("GO-1", "a"), Feeds: []string{record("GO-2", "b"), record("GO-3", "c")}, Now: time.Unix(1_790_000_000, 0)}
	if err := advisory.Build(t.Context(), o, file); err != nil {
		t.Fatal(err)
	}
	db, err := advisory.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, name := range []string{"a", "b", "c"} {
		if hits, err := db.Match(nil, advisory.Query{Ecosystem: "Go", Name: name, Version: "1.0.0"}); err != nil || len(hits) != 1 {
			t.Errorf("%s: %v %v", name, hits, err)
		}
	}
}
