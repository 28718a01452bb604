// Package git gives what a Git repository holds beside the files of its working tree:
// every version of every file that a commit brought, and what is staged for the next
// commit.
//
// It reads the repository's files by itself. No program is run and nothing of the
// repository's configuration is obeyed (two settings are looked at, to know the format), so
// that a hostile repository has nothing to run. Objects are verified against their ids as
// they are read; objects that are stored whole stream by, and what deltas need in memory
// is bounded.
//
// Not supported: repositories with SHA-256 ids, reftables and split indexes, which are
// errors; in shallow and partial clones what is not there is told as missing.
package git

import (
	"context"
	"fmt"
	"strings"

	"bulwark"
)

const name = "source/git"

var (
	_ bulwark.Source = (*History)(nil)
	_ bulwark.Source = (*Staged)(nil)
)

// History opens a folder with its past: the versions of its files that any reference,
// stash or reflog of its repository leads to.
type History struct {
	// Folder opens the folder as it is now.
	Folder bulwark.Source
}

// Open takes the path of a folder in a working tree, or of a bare repository. It returns an
// error wrapping ErrNotFound when there is no repository, and ErrUnsupported when it is of
// a kind that cannot be read.
func (h *History) Open(ctx context.Context, ref string) (*bulwark.Target, error) {
	r, err := find(strings.TrimPrefix(ref, "dir:"))
	if err != nil {
		return nil, err
	}
	past, notes, err := r.past()
	if err != nil {
		return nil, err
	}
	t, err := h.Folder.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	past.Index = len(t.Layers)
	t.Past, t.Notes = past, append(t.Notes, notes...)
	if r.top == "" {
		for i := range t.Layers {
			t.Layers[i].Tree = bare{t.Layers[i].Tree}
		}
	}
	return t, nil
}

// bare is the folder of a bare repository: its objects are looked at as history.
type bare struct{ bulwark.Tree }

// Walk leaves the objects out.
func (b bare) Walk(ctx context.Context, visit func(*bulwark.Entry) error) error {
	return b.Tree.Walk(ctx, func(e *bulwark.Entry) error {
		if strings.HasPrefix(e.Path, "objects/") {
			return nil
		}
		return visit(e)
	})
}

// Staged opens what is staged in the repository that a folder lies in: the files below the
// folder that the next commit would add or change, as the index has them.
type Staged struct {
	// Index is the file that git names to its hooks (GIT_INDEX_FILE); it is used when it
	// lies in the repository. Empty: the repository's own.
	Index string
}

// Open takes the path of a folder in a working tree. Its errors are those of
// [History.Open].
func (s *Staged) Open(_ context.Context, ref string) (*bulwark.Target, error) {
	folder := strings.TrimPrefix(ref, "dir:")
	r, err := find(folder)
	if err != nil {
		return nil, err
	}
	if r.top == "" {
		return nil, fmt.Errorf("%s is a bare repository: nothing is ever staged in it: %w", folder, bulwark.ErrUnsupported)
	}
	tree, err := r.staged(s.Index)
	if err != nil {
		return nil, fmt.Errorf("what is staged in %s: %w", folder, err)
	}
	return &bulwark.Target{
		Asset:  bulwark.Asset{ID: bulwark.AssetID("dir:" + folder), Kind: "dir", Name: folder},
		Layers: []bulwark.Layer{{Size: -1, Tree: tree}},
		Notes:  tree.notes(),
	}, nil
}
