package osv

import (
	"archive/zip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"bulwark"
)

func TestDecodeBounds(t *testing.T) {
	for name, doc := range map[string]string{
		"long":     `{"id":"A","details":"` + strings.Repeat("x", MaxRecord) + `"}`,
		"packages": `{"id":"A","affected":[` + strings.Repeat(`{},`, maxList) + `{}]}`,
	} {
		if _, err := Decode([]byte(doc)); !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("%s: %v, want ErrLimit", name, err)
		}
	}
	r, err := Decode([]byte(`{"id":"A","summary":"a\u001b]0;x\u0007\nb","aliases":["x y","B","B"],"details":"d\u0000` + strings.Repeat("é", maxText) + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	if r.Summary != "a]0;x b" || len(r.Aliases) != 1 || len(r.Details) > maxText {
		t.Errorf("%q %q, %d bytes of details", r.Summary, r.Aliases, len(r.Details))
	}
}

// TestZipBomb: a zip that claims far more than its size is refused before it is read.
func TestZipBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for range 80 {
		h := &zip.FileHeader{Name: "x.json", Method: zip.Deflate, UncompressedSize64: 15 << 20, CompressedSize64: 4}
		w, err := z.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("bomb")); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	err = Read(context.Background(), path, func(int, Doc) error { return nil })
	if !errors.Is(err, bulwark.ErrLimit) {
		t.Errorf("%v, want ErrLimit", err)
	}
}

func TestReadStops(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"a", "b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, n+".json"), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var n atomic.Int32
	if err := Read(t.Context(), dir, func(int, Doc) error { n.Add(1); return nil }); err != nil || n.Load() != 3 {
		t.Errorf("%d documents, %v, want 3", n.Load(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Read(ctx, dir, func(int, Doc) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"A-1","modified":"2026-01-02T03:04:05Z","aliases":["CVE-2024-1"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"Go","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.0.0"}]}],"versions":["1"],"ecosystem_specific":{"imports":[{"path":"x","symbols":["F"]}],"urgency":"low"},"database_specific":{"severity":"HIGH","cwe_ids":["CWE-1"]}}]}`))
	f.Add([]byte(`{"id":"A-1","affected":null,"severity":[{}],"withdrawn":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			if !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
				t.Errorf("%v, want ErrMalformed or ErrLimit", err)
			}
			return
		}
		if strings.ContainsAny(r.ID+r.Summary+strings.Join(r.References, ""), "\x1b\x00\n\u009b") {
			t.Errorf("control characters pass through: %q %q", r.ID, r.Summary)
		}
	})
}
