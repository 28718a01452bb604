package advisory

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bulwark"
	"bulwark/advisory/internal/fetch"
)

// bucket is an HTTP mirror that counts what it is asked for.
type bucket struct {
	mu    sync.Mutex
	files map[string][]byte
	sent  []string // paths that were answered with a body
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	text, ok := b.files[strings.TrimPrefix(r.URL.Path, "/")]
	b.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	tag := fmt.Sprintf(`"%x"`, crc32.ChecksumIEEE(text))
	w.Header().Set("ETag", tag)
	http.ServeContent(&watched{w, b, path.Base(r.URL.Path)}, r, "", time.Time{}, bytes.NewReader(text))
}

// watched notes what is sent.
type watched struct {
	http.ResponseWriter
	b    *bucket
	name string
}

func (w *watched) Write(p []byte) (int, error) {
	w.b.mu.Lock()
	w.b.sent = append(w.b.sent, w.name)
	w.b.mu.Unlock()
	return w.ResponseWriter.Write(p)
}

// take gives what was sent since the last time.
func (b *bucket) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.sent = nil }()
	return strings.Join(b.sent, " ")
}

func zipOf(tb testing.TB, records map[string]string) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for id, text := range records {
		w, err := z.Create(id + ".json")
		if err != nil {
			tb.Fatal(err)
		}
		fmt.Fprint(w, text)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func index(records ...string) []byte {
	return []byte(strings.Join(records, "\n") + "\n")
}

func matches(t *testing.T, file, name string) string {
	t.Helper()
	db, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	hits, err := db.Match(nil, Query{"npm", name, "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(ids(hits), " ")
}

func TestUpdate(t *testing.T) {
	for _, prefix := range []string{"", "osv/"} {
		all := ranges("SEMVER", "introduced 0")
		b := &bucket{files: map[string][]byte{
			prefix + "ecosystems.txt":       []byte("npm\n"),
			prefix + "npm/all.zip":          zipOf(t, map[string]string{"A-1": record("A-1", "npm", "x", all)}),
			prefix + "npm/modified_id.csv":  index("2026-01-02T03:04:05Z,A-1"),
			"kev.json":                      []byte(someKEV),
			"eol.json":                      []byte(someEOL),
			"epss_scores-2026-08-16.csv.gz": []byte(someEPSS),
			"":                              []byte(`<a href="epss_scores-2026-08-15.csv.gz">x</a><a href="epss_scores-2026-08-16.csv.gz">y</a>`),
		}}
		srv := httptest.NewServer(b)
		file := filepath.Join(t.TempDir(), "db", "a.db")
		o := UpdateOptions{From: srv.URL + "/", Now: now}
		update := func(want, sent string) {
			t.Helper()
			if err := Update(t.Context(), o, file); err != nil {
				t.Fatal(err)
			}
			if got := matches(t, file, "x"); got != want {
				t.Errorf("after the update %q affect x, want %q", got, want)
			}
			if got := b.take(); sent != "*" && got != sent {
				t.Errorf("sent %q, want %q", got, sent)
			}
		}
		update("A-1", "*")
		db, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		_, kev := db.KEV("CVE-2024-1000")
		_, epss := db.EPSS("CVE-2024-1000")
		_, eol := db.Product("nodejs")
		if !kev || !epss || !eol {
			t.Errorf("kev %v, epss %v, eol %v, want all", kev, epss, eol)
		}
		built := db.r.Sum
		db.Close()

		update("A-1", "") // nothing changed
		if db, err = Open(file); err != nil || db.r.Sum != built {
			t.Errorf("the database was built anew: %v", err)
		}
		db.Close()

		// One record changes, one is new: only these are fetched.
		b.files[prefix+"npm/A-1.json"] = []byte(strings.Replace(record("A-1", "npm", "y", all), "2026-01-02", "2026-05-09", 1))
		b.files[prefix+"npm/A-2.json"] = []byte(record("A-2", "npm", "x", all))
		b.files[prefix+"npm/modified_id.csv"] = index("2026-05-09T03:04:05Z,A-1", "2026-01-02T03:04:05Z,A-2")
		update("A-2", "*")
		update("A-2", "")

		// One goes away: everything is fetched, and what came one by one goes.
		b.files[prefix+"npm/all.zip"] = zipOf(t, map[string]string{"A-3": record("A-3", "npm", "x", all+`,"versions":["8"]`)})
		b.files[prefix+"npm/modified_id.csv"] = index("2026-06-01T00:00:00Z,A-3")
		update("A-3", "modified_id.csv all.zip")

		// The server is gone for a while: the copy serves.
		delete(b.files, prefix+"npm/all.zip")
		delete(b.files, prefix+"npm/modified_id.csv")
		update("A-3", "")
		if err := os.WriteFile(file, []byte("damaged"), 0o644); err != nil {
			t.Fatal(err)
		}
		update("A-3", "") // a damaged database is built anew from the copy
		srv.Close()
		o.client = &fetch.Client{Sleep: func(context.Context, time.Duration) error { return nil }}
		if err := Update(t.Context(), o, file); !errors.Is(err, bulwark.ErrUnavailable) {
			t.Errorf("without a server: %v, want ErrUnavailable", err)
		}
	}
}

func TestUpdateFromFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "osv", "npm", "1.json"), record("A-1", "npm", "x", ranges("SEMVER", "introduced 0")))
	write(t, filepath.Join(dir, "kev.json"), someKEV)
	write(t, filepath.Join(dir, "epss_scores-2026-08-15.csv"), someEPSS)
	file := filepath.Join(t.TempDir(), "a.db")
	var said []string
	o := UpdateOptions{From: dir, Now: now, Progress: func(s string) { said = append(said, s) }}
	for i, want := range []string{"", "nothing changed", ""} {
		said = nil
		if i == 2 {
			o.Now = now.Add(48 * time.Hour) // a new date is due
		}
		if err := Update(t.Context(), o, file); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(said, "\n"); strings.Contains(got, "nothing changed") != (want != "") {
			t.Errorf("update %d says %q, want %q in it", i, got, want)
		}
	}
	db, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, ok := db.EPSS("CVE-2024-1000"); !ok || !db.Info().Built.Equal(o.Now) {
		t.Errorf("EPSS %v, built %v", ok, db.Info().Built)
	}
	if err := Update(t.Context(), UpdateOptions{From: filepath.Join(dir, "nowhere"), Now: now}, file); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("from nowhere: %v, want ErrNotFound", err)
	}
}

// TestUpdatesAtOnce: all of several updates at once succeed.
func TestUpdatesAtOnce(t *testing.T) {
	b := &bucket{files: map[string][]byte{
		"ecosystems.txt": []byte("npm\n"),
		"npm/all.zip":    zipOf(t, map[string]string{"A-1": record("A-1", "npm", "x", ranges("SEMVER", "introduced 0"))}),
	}}
	srv := httptest.NewServer(b)
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "a.db")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := Update(t.Context(), UpdateOptions{From: srv.URL, Now: now}, file); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := matches(t, file, "x"); got != "A-1" {
		t.Errorf("%q affect x, want A-1", got)
	}
}

// TestBuildFromAddress builds straight from a server.
func TestBuildFromAddress(t *testing.T) {
	b := &bucket{files: map[string][]byte{
		"ecosystems.txt": []byte("npm\n"),
		"npm/all.zip":    zipOf(t, map[string]string{"A-1": record("A-1", "npm", "x", ranges("SEMVER", "introduced 0"))}),
		"kev.json":       []byte(someKEV),
	}}
	srv := httptest.NewServer(b)
	defer srv.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.db")
	if err := Build(t.Context(), BuildOptions{OSV: srv.URL, KEV: srv.URL + "/kev.json", Now: now}, file); err != nil {
		t.Fatal(err)
	}
	if got := matches(t, file, "x"); got != "A-1" {
		t.Errorf("%q affect x, want A-1", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
