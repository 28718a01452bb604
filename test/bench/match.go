package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"bulwark/advisory"
)

// matching asks a database about 4,000 packages, 2,000 of them vulnerable, and prints
// the median time and what it allocated.
func matching(file, data string) error {
	db, err := advisory.Open(file)
	if err != nil {
		return err
	}
	defer db.Close()
	queries, err := questions(db, data)
	if err != nil {
		return err
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var hits []advisory.Hit
	var took []time.Duration
	for range 15 {
		start := time.Now()
		hits = hits[:0]
		for _, q := range queries {
			if hits, err = db.Match(hits, q); err != nil {
				return err
			}
		}
		took = append(took, time.Since(start))
	}
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	fmt.Printf("| matching %d packages (%d hits), one thread | | %.4f (first %.4f) | %.0f above the start | | |\n", len(queries), len(hits),
		took[len(took)/2].Seconds(), took[len(took)-1].Seconds(), float64(after.HeapSys-before.HeapSys)/1e6)
	return nil
}

// questions takes packages that advisories name, each in an old version that many
// records affect and in a version of the far future that few do.
func questions(db *advisory.DB, data string) ([]advisory.Query, error) {
	var list []advisory.Query
	for _, eco := range []string{"Debian:12", "PyPI", "npm", "Go", "AlmaLinux:9", "RubyGems", "Bitnami", "crates.io"} {
		names, err := named(data, eco)
		if err != nil {
			return nil, err
		}
		found := 0
		for _, name := range names {
			if found == 400 || len(list) >= 4000 {
				break
			}
			hits, err := db.Match(nil, advisory.Query{Ecosystem: eco, Name: name, Version: "0.0.1"})
			if err != nil {
				return nil, err
			}
			if len(hits) == 0 {
				continue
			}
			found++
			list = append(list, advisory.Query{Ecosystem: eco, Name: name, Version: "0.0.1"}, advisory.Query{Ecosystem: eco, Name: name, Version: "99999.0"})
		}
	}
	return list, nil
}

// named lists the packages that the records of an ecosystem name, sorted.
func named(data, eco string) ([]string, error) {
	base, _, _ := strings.Cut(eco, ":")
	z, err := zip.OpenReader(filepath.Join(data, "osv", base, "all.zip"))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	seen := map[string]bool{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		var record struct {
			Affected []struct {
				Package struct{ Ecosystem, Name string }
			}
		}
		err = json.NewDecoder(r).Decode(&record)
		r.Close()
		if err != nil {
			continue // not a record: the directory's other files
		}
		for _, a := range record.Affected {
			if a.Package.Ecosystem == eco {
				seen[a.Package.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// measureMatching runs matching in a process of its own.
func measureMatching(self, db, data string) error {
	var out bytes.Buffer
	c := exec.Command(self, "match", db, data)
	c.Stdout, c.Stderr = &out, os.Stderr
	err := c.Run()
	fmt.Print(out.String())
	return err
}
