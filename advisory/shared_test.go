package advisory

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// now is the clock of every test.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// sharedData is the folder of real data, which lies beside the repository.
func sharedData(tb testing.TB) string {
	tb.Helper()
	dir := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(filepath.Join(dir, "osv")); err != nil {
		tb.Skip("SKIPPED, there is no shared/data beside the repository")
	}
	return dir
}

var builtShared string // folder to remove

var sharedOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "advisory-test-")
	if err != nil {
		return "", err
	}
	builtShared = dir
	path := filepath.Join(dir, "a.db")
	data := filepath.Join("..", "..", "shared", "data")
	return path, Build(context.Background(), BuildOptions{
		OSV: filepath.Join(data, "osv"), KEV: data, EPSS: data, EOL: data, Now: now,
	}, path)
})

// sharedDB is a database of all the real data, built once for all tests.
func sharedDB(tb testing.TB) *DB {
	tb.Helper()
	sharedData(tb)
	path, err := sharedOnce()
	if err != nil {
		tb.Fatal(err)
	}
	db, err := Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builtShared != "" {
		os.RemoveAll(builtShared)
	}
	os.Exit(code)
}

func ids(hits []Hit) []string {
	out := []string{}
	for _, h := range hits {
		out = append(out, h.ID)
	}
	slices.Sort(out)
	return out
}

// TestTruth compares with the exact sets that two independent programs agreed on.
func TestTruth(t *testing.T) {
	db := sharedDB(t)
	b, err := os.ReadFile(filepath.Join(sharedData(t), "truth", "truth-public.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Packages []struct {
			Ecosystem, Name, Version string
			Expected                 []string
			Withdrawn                []string `json:"must_not_report_withdrawn"`
		}
		Debian []struct {
			Ecosystem, Source string
			Version           string `json:"source_version"`
			Expected          []string
			Fixed             map[string]string
		} `json:"debian12"`
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		t.Fatal(err)
	}
	check := func(q Query, want []string) []Hit {
		hits, err := db.Match(nil, q)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, ids(hits)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", q, diff)
		}
		return hits
	}
	for _, p := range truth.Packages {
		check(Query{p.Ecosystem, p.Name, p.Version}, p.Expected)
	}
	for _, p := range truth.Debian {
		for _, h := range check(Query{p.Ecosystem, p.Source, p.Version}, p.Expected) {
			if want := p.Fixed[h.Upstream[0]]; want != "" && (len(h.Fixed) == 0 || h.Fixed[0] != want) {
				t.Errorf("%s %s %s: fixed in %v, want %s", h.ID, p.Source, p.Version, h.Fixed, want)
			}
		}
	}
	t.Logf("%d packages, %d Debian cases", len(truth.Packages), len(truth.Debian))
}
