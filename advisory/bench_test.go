package advisory

import (
	"path/filepath"
	"testing"
)

func BenchmarkBuild(b *testing.B) {
	data := sharedData(b)
	for b.Loop() {
		err := Build(b.Context(), BuildOptions{OSV: filepath.Join(data, "osv"), KEV: data, EPSS: data, EOL: data, Now: now}, filepath.Join(b.TempDir(), "a.db"))
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	sharedDB(b)
	path, _ := sharedOnce()
	for b.Loop() {
		db, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		db.Close()
	}
}
