// Package kubetest makes sets of objects for tests.
package kubetest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"bulwark/kube"
)

// Set has the objects of YAML documents, all in the file f.yaml, which cannot be read. What is
// no object ends the test; documents with nothing in them are passed over.
func Set(tb testing.TB, text string) *kube.Set {
	tb.Helper()
	s := &kube.Set{}
	for _, d := range kube.ParseYAML([]byte(text)) {
		if d.Root == nil && d.Err == nil {
			continue
		}
		o, ok := kube.NewObject(d.Root, kube.Origin{File: "f.yaml"})
		if d.Err != nil || !ok {
			tb.Fatalf("line %d is no object: %v", d.Line, d.Err)
		}
		s.Objects = append(s.Objects, o)
	}
	return s
}

// Object is one of JSON, with what fmt puts into it.
func Object(tb testing.TB, format string, a ...any) *kube.Object {
	tb.Helper()
	text := fmt.Appendf(nil, format, a...)
	root, err := kube.ParseJSON(text)
	if err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
	o, ok := kube.NewObject(root, kube.Origin{})
	if !ok {
		tb.Fatalf("no object: %s", text)
	}
	return o
}

// Data has the objects of a folder of ../shared/data, beside the repository, in files named
// from that folder on. Documents that are no objects are passed over. Where the folder is not
// there the test is skipped, and fails in CI.
func Data(tb testing.TB, folder ...string) *kube.Set {
	tb.Helper()
	dir := filepath.Join(append([]string{repository(tb), "..", "shared", "data"}, folder...)...)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the manifests of %s are not there: %v", filepath.Join(folder...), err)
		}
		tb.Skipf("the manifests of %s are not there", filepath.Join(folder...))
	}
	s := &kube.Set{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(file)) {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, file)
		for _, d := range kube.ParseYAML(data) {
			if o, ok := kube.NewObject(d.Root, kube.Origin{File: filepath.ToSlash(rel)}); ok && d.Err == nil {
				s.Objects = append(s.Objects, o)
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// repository is the folder of go.mod, at or above the one that tests run in.
func repository(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod is above the tests")
		}
		dir = filepath.Dir(dir)
	}
}
