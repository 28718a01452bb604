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

// matching asks a database all questions of a file, as often as given, and prints for each
// time how long that took in seconds; then what was allocated in bytes, and the hits.
// What the first time takes is what a scan does.
func matching(file, questions string) error {
	data, err := os.ReadFile(questions)
	if err != nil {
		return err
	}
	var queries []advisory.Query
	if err := json.Unmarshal(data, &queries); err != nil {
		return err
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	db, err := advisory.Open(file)
	if err != nil {
		return err
	}
	defer db.Close()
	var hits []advisory.Hit
	n := 0
	for range rounds {
		start := time.Now()
		n = 0
		for _, q := range queries {
			if hits, err = db.Match(hits[:0], q); err != nil {
				return err
			}
			n += len(hits)
		}
		fmt.Println(time.Since(start).Seconds())
	}
	runtime.ReadMemStats(&after)
	fmt.Println(after.HeapSys - before.HeapSys)
	fmt.Println(n)
	return nil
}

// rounds is how often each process asks.
const rounds = 5

// writeQuestions writes the questions to a file.
func writeQuestions(file, data, out string) error {
	db, err := advisory.Open(file)
	if err != nil {
		return err
	}
	defer db.Close()
	queries, err := questions(db, data)
	if err != nil {
		return err
	}
	b, err := json.Marshal(queries)
	if err != nil {
		return err
	}
	return os.WriteFile(out, b, 0o600)
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

// measureMatching asks in fresh processes, and prints medians of the first time and of the
// last.
func (b *bench) measureMatching(self, name, db, questions string) error {
	var first, last, memory []float64
	var hits float64
	for range 2*b.runs + 1 {
		var out bytes.Buffer
		c := exec.Command(self, "match", db, questions)
		c.Stdout, c.Stderr = &out, os.Stderr
		if err := c.Run(); err != nil {
			return err
		}
		figures := make([]float64, rounds+2)
		for i := range figures {
			if _, err := fmt.Fscan(&out, &figures[i]); err != nil {
				return err
			}
		}
		first, last = append(first, figures[0]), append(last, figures[rounds-1])
		memory, hits = append(memory, figures[rounds]), figures[rounds+1]
	}
	for _, list := range [][]float64{first, last, memory} {
		slices.Sort(list)
	}
	fmt.Printf("| %s (%.0f hits), one thread, fresh process; then again | | %.4f; %.4f | %.0f above the start | | |\n", name, hits,
		first[len(first)/2], last[len(last)/2], memory[len(memory)/2]/1e6)
	return nil
}

// matching measures 4,000 packages, half of them vulnerable.
func (b *bench) matching(self, db string) error {
	file := filepath.Join(b.dir, "questions.json")
	if _, err := measure(self, "questions", db, b.data, file); err != nil {
		return err
	}
	return b.measureMatching(self, "matching 4,000 packages, 2,000 with hits", db, file)
}

// matchingBig measures the packages of the big image.
func (b *bench) matchingBig(self, target, db string) error {
	sbom, file := filepath.Join(b.dir, "big.json"), filepath.Join(b.dir, "big-questions.json")
	if _, err := measure(b.bulwark, "sbom", target, "-f", "json", "-o", sbom, "--cache-dir", filepath.Join(b.dir, "warm")); err != nil {
		return err
	}
	type listed struct {
		Ecosystem, Name, Version string
		Source                   *struct{ Name, Version string }
	}
	var doc struct{ Packages []listed }
	if err := readJSON(sbom, &doc); err != nil {
		return err
	}
	var list []advisory.Query
	for _, p := range doc.Packages {
		if p.Source != nil {
			p.Name, p.Version = p.Source.Name, p.Source.Version
		}
		list = append(list, advisory.Query{Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version})
	}
	data, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	return b.measureMatching(self, fmt.Sprintf("matching the %d packages of the big image", len(list)), db, file)
}
