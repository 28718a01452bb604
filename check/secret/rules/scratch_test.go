package rules_test

import (
	"archive/tar"
	"io"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"bulwark"
	"bulwark/check/secret"
)

func TestScratchWalk(t *testing.T) {
	root := os.Getenv("ROOT")
	if root == "" {
		t.Skip()
	}
	i := secret.New(secret.Options{Personal: os.Getenv("PERSONAL") != ""})
	count := map[string]int{}
	sample := map[string][]string{}
	var bytes int64
	var spent time.Duration
	errs := 0
	one := func(rel string, data []byte) {
		info := bulwark.FileInfo{Size: int64(len(data))}
		info.SetPath(rel)
		start := time.Now()
		s := i.Begin(&info)
		for len(data) > 0 {
			n := min(len(data), 256<<10)
			s.Write(data[:n])
			bytes += int64(n)
			data = data[n:]
		}
		facts, err := s.Close()
		spent += time.Since(start)
		if err != nil {
			errs++
			if errs < 10 {
				fmt.Println("ERR", rel, err)
			}
		}
		for _, f := range facts.Findings {
			count[f.Rule]++
			if len(sample[f.Rule]) < 6 {
				sample[f.Rule] = append(sample[f.Rule], fmt.Sprintf("%s:%d %q %q", rel+"|"+f.Path, f.Line, f.Subject, f.Evidence))
			}
		}
	}
	if tf, err := os.Open(root); err == nil && filepath.Ext(root) == ".tar" {
		tr := tar.NewReader(tf)
		for {
			h, err := tr.Next()
			if err != nil {
				break
			}
			if h.Typeflag == tar.TypeReg && h.Size > 0 && h.Size < 1<<30 {
				data, _ := io.ReadAll(tr)
				one(filepath.Clean(h.Name), data)
			}
		}
	} else {
	filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(p)
		if err != nil || len(data) == 0 {
			return nil
		}
		rel, _ := filepath.Rel(os.Getenv("STRIP"), p)
		one(rel, data)
		return nil
	})
	}
	fmt.Printf("%d MB in %v: %.0f MB/s\n", bytes>>20, spent, float64(bytes)/1e6/spent.Seconds())
	var ids []string
	for id := range count {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		fmt.Println(count[id], id)
		for _, s := range sample[id] {
			fmt.Println("     ", s)
		}
	}
}
