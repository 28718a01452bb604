package git

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"

	"bulwark"
)

// past gives the layer of all versions of all files, and notes about what is not there.
func (r *repository) past() (*bulwark.Layer, []bulwark.Note, error) {
	t, err := r.tips()
	if err != nil {
		return nil, nil, fmt.Errorf("references: %w", err)
	}
	var notes []bulwark.Note
	if len(r.shallow) > 0 {
		notes = append(notes, bulwark.Note{Plugin: name, Text: "a shallow clone: what was before it is not here and was not looked at; git fetch --unshallow gets it", Incomplete: true})
	}
	identity := r.identity(t)
	return &bulwark.Layer{Size: -1, DiffID: identity, Identity: identity, Tree: &past{r, t}}, notes, nil
}

// identity names everything that the tips lead to: ids are hashes of what they name, and all
// that is read is verified.
func (r *repository) identity(t tips) string {
	h := sha256.New()
	for _, set := range []map[id]bool{t.named, t.logged, r.shallow} {
		fmt.Fprintln(h, len(set))
		for _, o := range sorted(set) {
			h.Write(o[:])
		}
	}
	fmt.Fprintf(h, "1 %q", r.inside) // and the version of how history is read
	return "git:" + hex.EncodeToString(h.Sum(nil))
}

func sorted(set map[id]bool) []id {
	return slices.SortedFunc(maps.Keys(set), func(a, b id) int { return bytes.Compare(a[:], b[:]) })
}

// past is the history as a tree: it has each blob once, under the path and with the
// commit that brought it first.
type past struct {
	r *repository
	t tips
}

var _ bulwark.Tree = (*past)(nil)

// Walk visits commits after their parents, the earliest first, and of each the blobs
// that none before it had. A blob that came under several paths at once is visited under the first.
// What the repository does not have is told by the error at the end.
func (p *past) Walk(ctx context.Context, visit func(*bulwark.Entry) error) error {
	s, err := p.r.store()
	if err != nil {
		return err
	}
	defer s.close()
	w := &walker{ctx: ctx, store: s, seen: newSeen(s), visit: visit}
	l := &log{ctx: ctx, store: s, shallow: p.r.shallow, places: map[id]int32{}}
	for _, o := range sorted(p.t.named) {
		if err := w.failed("", l.tip(o, point{}, 0)); err != nil {
			return err
		}
	}
	l.lenient = true
	for _, o := range sorted(p.t.logged) {
		if err := l.tip(o, point{}, 0); err != nil && !errors.Is(err, bulwark.ErrNotFound) {
			return err
		}
	}
	for _, err := range l.lost {
		if err := w.failed("", err); err != nil {
			return err
		}
	}
	for _, c := range l.inOrder() {
		if err := w.commit(&c, p.r.inside); err != nil {
			return err
		}
	}
	return w.missed(p.r.partial)
}
