package policy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/limit"
	"bulwark/kube"
	"bulwark/policy/exception"
)

// Inline is the policy that honours the exceptions which the manifests of a target make
// themselves: see [exception.Inline]. It is for those who trust whoever wrote the manifests.
type Inline struct {
	Now time.Time
}

var _ bulwark.TargetPolicy = Inline{}

// Apply covers nothing: what covers is a target's own.
func (Inline) Apply(*bulwark.Asset, *bulwark.Finding) {}

// For reads the exceptions of a target.
func (i Inline) For(_ context.Context, t *bulwark.Target) (bulwark.Policy, []bulwark.Note) {
	objects := kube.Of(t)
	read, done := files(t)
	defer done()
	rules, notes := exception.Inline(objects, read, i.Now)
	s := &Set{notes: notes}
	s.rules.Add(rules...)
	return in{s, objects}, notes
}

// maxManifest is how much of one file is read for comments.
const maxManifest = 64 << 20

// files gives the files of a target's folder, or the one file that it is.
func files(t *bulwark.Target) (read func(string) ([]byte, error), done func()) {
	done = func() {}
	if dir, ok := strings.CutPrefix(string(t.Asset.ID), "dir:"); ok {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, done
		}
		return func(file string) ([]byte, error) {
			if !filepath.IsLocal(filepath.FromSlash(file)) {
				return nil, fmt.Errorf("it is outside of the folder that is scanned: %w", bulwark.ErrUnsupported)
			}
			f, err := root.Open(filepath.FromSlash(file))
			return whole(f, err, file)
		}, func() { root.Close() }
	}
	if name, ok := strings.CutPrefix(string(t.Asset.ID), "file:"); ok && name != "-" {
		return func(file string) ([]byte, error) {
			if file != filepath.ToSlash(name) {
				return nil, fmt.Errorf("%s: %w", file, bulwark.ErrNotFound)
			}
			f, err := os.Open(name)
			return whole(f, err, file)
		}, done
	}
	return nil, done
}

func whole(f *os.File, err error, name string) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limit.ReadAll(f, maxManifest, name)
}
