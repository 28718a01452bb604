package advisory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"bulwark"
)

const (
	someKEV  = `{"dateReleased":"2026-11-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2024-1000","dateAdded":"2025-08-25","dueDate":"2025-09-15","knownRansomwareCampaignUse":"Known"}]}`
	someEPSS = "#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\nCVE-2024-1000,0.033510000,0.876500000\nCVE-2024-1001,1,1\n"
	someEOL  = `{"date":"2026-08-22","products":{"nodejs":{"name":"nodejs","title":"Node.js","identifiers":[{"purl":"pkg:generic/node"}],"releases":[{"releaseCycle":"22","eol":"2027-04-30","lts":"2024-10-29","latest":"22.1.0"},{"releaseCycle":"21","eol":true}]}}}`
)

// answers asks everything that the database can be asked.
func answers(db *DB) (out []any, err error) {
	for _, q := range []Query{{"Go", "a", "v1.0.0"}, {"Go", "a", "v2.0.0"}, {"Go", "b", "v1.0.0"}, {"Debian:12", "a", "1:2-2"}, {"npm", "a", "1.0.0"}} {
		hits, e := db.Match(nil, q)
		err = errors.Join(err, e)
		out = append(out, hits)
	}
	for _, id := range []string{"GO-1", "GO-2", "DEBIAN-CVE-2024-1001"} {
		r, e := db.Record(id)
		err = errors.Join(err, e)
		out = append(out, r, db.References(id))
	}
	for _, cve := range []string{"CVE-2024-1000", "CVE-2024-1001", "CVE-2024-1002"} {
		s, c := db.ByCVE(cve)
		k, ok := db.KEV(cve)
		e, ok2 := db.EPSS(cve)
		out = append(out, s, c, k, ok, e, ok2, db.Naming(cve))
	}
	p, ok := db.Product("nodejs")
	p2, ok2 := db.ProductOfPURL("pkg:generic/node")
	out = append(out, p, ok, p2, ok2, db.Info(), db.Has("Go"))
	return out, errors.Join(err, db.Err())
}

func smallFile(tb testing.TB) []byte {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range map[string]string{
		"kev.json": someKEV, "epss.csv": someEPSS, "eol.json": someEOL,
		"osv/1.json": record("GO-1", "Go", "a", ranges("SEMVER", "introduced 0", "fixed 1.2.0", "introduced 1.3.0", "last_affected 1.4.0")+
			`,"versions":["0.0.1","2.0.0"],"ecosystem_specific":{"imports":[{"path":"x/y","symbols":["F"]}]}`, `"aliases":["CVE-2024-1000"],"details":"some text","references":[{"url":"https://example.com"}],`),
		"osv/2.json": record("DEBIAN-CVE-2024-1001", "Debian:12", "a", ranges("ECOSYSTEM", "introduced 0", "fixed 1:2-3"), `"upstream":["CVE-2024-1001"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],`),
		"osv/3.json": record("GO-2", "Go", "b", ranges("SEMVER", "introduced 0")),
	} {
		write(tb, filepath.Join(dir, name), text)
	}
	out := filepath.Join(dir, "a.db")
	if err := Build(tb.Context(), BuildOptions{OSV: filepath.Join(dir, "osv"), KEV: dir, EPSS: dir, EOL: dir, Now: now}, out); err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestDamage turns every byte of a database round: each is
// told as ErrUntrusted.
func TestDamage(t *testing.T) {
	whole := smallFile(t)
	path := filepath.Join(t.TempDir(), "a.db")
	ask := func(b []byte) ([]any, error) {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path)
		if err != nil {
			return nil, err
		}
		defer db.Close()
		out, err := answers(db)
		return out, err
	}
	db, err := openCopy(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	want, err := answers(db)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0xff
		if _, err := ask(b); !errors.Is(err, bulwark.ErrUntrusted) {
			t.Errorf("byte %d changed: %v, want ErrUntrusted", i, err)
		}
	}
	for n := 0; n < len(whole); n += 7 {
		if _, err := ask(whole[:n]); !errors.Is(err, bulwark.ErrUntrusted) {
			t.Errorf("cut to %d bytes: %v, want ErrUntrusted", n, err)
		}
	}
	if _, err := ask(append(bytes.Clone(whole), 0)); !errors.Is(err, bulwark.ErrUntrusted) {
		t.Errorf("one byte more: %v, want ErrUntrusted", err)
	}
	if got, err := answers(db); err != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("the untouched copy answers otherwise the second time: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, bulwark.ErrNotFound) {
		t.Errorf("no file: %v, want ErrNotFound", err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder is opened as a database")
	}
}

// TestOtherVersion: a file of another version is not taken for a damaged one, and the
// error says what to do.
func TestOtherVersion(t *testing.T) {
	whole := smallFile(t)
	for _, v := range []uint32{0, formatVersion - 1, formatVersion + 1} {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[8:], v)
		reseal(b)
		_, err := openCopy(t, b)
		if !errors.Is(err, bulwark.ErrUnsupported) || !strings.Contains(err.Error(), "another version") || !strings.Contains(err.Error(), "run bulwark db update") {
			t.Errorf("format %d: %v, want ErrUnsupported that says to update", v, err)
		}
	}
}

func openCopy(tb testing.TB, b []byte) (*DB, error) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "copy.db")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		tb.Fatal(err)
	}
	db, err := Open(path)
	if err == nil {
		tb.Cleanup(func() { db.Close() })
	}
	return db, err
}

// TestParallel: many readers of one database get what one gets.
func TestParallel(t *testing.T) {
	db, err := openCopy(t, smallFile(t))
	if err != nil {
		t.Fatal(err)
	}
	want, err := answers(db)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := openCopy(t, smallFile(t))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := answers(fresh); err != nil || !reflect.DeepEqual(want, got) {
					t.Errorf("a parallel reader gets something else: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// FuzzOpen asks a damaged database whose checksums fit: it may answer anything, or say
// ErrUntrusted, and does not panic.
func FuzzOpen(f *testing.F) {
	whole := smallFile(f)
	f.Add(uint32(100), byte(0xff), uint32(len(whole)-20), byte(3))
	f.Add(uint32(0), byte(0), uint32(70), byte(0x80))
	path := filepath.Join(f.TempDir(), "fuzz.db")
	f.Fuzz(func(t *testing.T, at uint32, with byte, at2 uint32, with2 byte) {
		b := bytes.Clone(whole)
		b[int(at)%len(b)] ^= with
		b[int(at2)%len(b)] ^= with2
		reseal(b)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path)
		if err != nil {
			return
		}
		defer db.Close()
		if _, err := answers(db); err != nil && !errors.Is(err, bulwark.ErrUntrusted) && !errors.Is(err, bulwark.ErrNotFound) {
			t.Errorf("%v, want ErrUntrusted", err)
		}
	})
}

func FuzzSources(f *testing.F) {
	for _, s := range []string{someKEV, someEPSS, someEOL, `[{"name":"x","releases":[{"name":"1","isEol":true,"latest":{"name":"1.2","date":"2026-01-01"}}]}]`, "\x1f\x8b"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, b []byte) {
		parseKEV(bytes.NewReader(b))  //nolint:errcheck // it must not panic
		parseEPSS(bytes.NewReader(b)) //nolint:errcheck
		parseEOL(bytes.NewReader(b))  //nolint:errcheck
	})
}
