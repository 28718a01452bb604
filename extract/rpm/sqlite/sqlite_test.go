package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bulwark"
	"bulwark/extract/rpm/internal/rpmtest"
)

func read(t *testing.T, content []byte, table string) ([]int, error) {
	t.Helper()
	db, err := Open(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, err
	}
	var sizes []int
	err = db.Blobs(table, func(blob []byte) error {
		for i, b := range blob {
			if b != blob[0] {
				t.Fatalf("blob %d differs at %d", len(sizes), i)
			}
		}
		sizes = append(sizes, len(blob))
		return nil
	})
	return sizes, err
}

func TestBlobs(t *testing.T) {
	for _, pageSize := range []int{512, 1024, 4096, 32768} {
		var blobs [][]byte
		var want []int
		for i, n := range []int{1, 400, pageSize - 40, pageSize - 30, pageSize, 3 * pageSize, 100_000} {
			blobs, want = append(blobs, bytes.Repeat([]byte{byte(i)}, n)), append(want, n)
		}
		got, err := read(t, rpmtest.SQLite(pageSize, blobs...), "packages")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", pageSize, diff)
		}
	}
}

// TestRealTool reads what SQLite itself wrote, with inner pages on two levels.
func TestRealTool(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("sqlite3 is not installed (Debian package sqlite3)")
		}
		t.Skip("sqlite3 is not installed (Debian package sqlite3)")
	}
	file := filepath.Join(t.TempDir(), "db")
	sql := `PRAGMA page_size=512; CREATE TABLE other(x); CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<5000) INSERT INTO Packages SELECT i, zeroblob(i) FROM n;
		DELETE FROM Packages WHERE hnum%3=0;`
	if out, err := exec.CommandContext(t.Context(), "sqlite3", file, sql).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t, content, "Packages")
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for i := 1; i <= 5000; i++ {
		if i%3 != 0 {
			want = append(want, i)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBadInput(t *testing.T) {
	good := rpmtest.SQLite(512, bytes.Repeat([]byte{1}, 5000), bytes.Repeat([]byte{2}, 10))
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	root := 512 // page 2
	circle := binary.BigEndian.AppendUint32(nil, 2)
	for name, content := range map[string][]byte{
		"empty":            nil,
		"text":             bytes.Repeat([]byte("text"), 200),
		"odd page size":    change(16, 3, 1),
		"cut":              good[:2*512],
		"root not a table": change(root, 2),
		"circle":           change(root+8, circle...),
		"page 0":           change(root+8, 0, 0, 0, 0),
	} {
		if _, err := read(t, content, "Packages"); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		}
	}
	if _, err := read(t, good, "Nothing"); !errors.Is(err, bulwark.ErrMalformed) {
		t.Errorf("no such table: error %v, want ErrMalformed", err)
	}
	if _, err := read(t, change(56, 0, 0, 0, 2), "Packages"); !errors.Is(err, bulwark.ErrUnsupported) {
		t.Errorf("UTF-16: error %v, want ErrUnsupported", err)
	}
}

func FuzzBlobs(f *testing.F) {
	f.Add(rpmtest.SQLite(512, bytes.Repeat([]byte{1}, 1200), []byte{2}))
	f.Fuzz(func(t *testing.T, content []byte) {
		db, err := Open(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		total := 0
		err = db.Blobs("Packages", func(blob []byte) error { total += len(blob); return nil })
		if err != nil && !errors.Is(err, bulwark.ErrMalformed) && !errors.Is(err, bulwark.ErrLimit) {
			t.Errorf("error %v wraps none of ours", err)
		}
	})
}
