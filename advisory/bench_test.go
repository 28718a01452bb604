package advisory

import (
	"math/rand/v2"
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

// queries makes 4,000 packages out of the database's own: half of them have hits.
func queries(tb testing.TB, db *DB) []Query {
	tb.Helper()
	r := rand.New(rand.NewPCG(7, 8))
	var with, without []Query
	for len(with) < 2000 || len(without) < 2000 {
		e := &db.ecosystems[r.IntN(len(db.ecosystems))]
		g, err := e.group(db, r.IntN(e.n))
		if err != nil {
			tb.Fatal(err)
		}
		q := Query{e.name, g.name, "0"}
		if g.ranks > 0 {
			q.Version = g.rank(r.IntN(g.ranks))
		}
		hits, err := db.Match(nil, q)
		if err != nil {
			tb.Fatal(err)
		}
		switch {
		case len(hits) > 0 && len(with) < 2000:
			with = append(with, q)
		case len(hits) == 0 && len(without) < 2000:
			without = append(without, q)
		}
	}
	return append(with, without...)
}

// BenchmarkMatch answers 4,000 queries, from a database that has just been opened and
// from one that has answered them before.
func BenchmarkMatch(b *testing.B) {
	list := queries(b, sharedDB(b))
	path, _ := sharedOnce()
	run := func(db *DB) (n int) {
		var hits []Hit
		for _, q := range list {
			var err error
			if hits, err = db.Match(hits[:0], q); err != nil {
				b.Fatal(err)
			}
			n += len(hits)
		}
		return n
	}
	b.Run("cold", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			db, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(run(db)), "hits")
			db.Close()
		}
	})
	b.Run("warm", func(b *testing.B) {
		db := sharedDB(b)
		b.ReportAllocs()
		for b.Loop() {
			run(db)
		}
	})
}
