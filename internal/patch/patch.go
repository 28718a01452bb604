// Package patch joins the unified diffs that findings carry and applies them. A diff
// applies at the lines that it names or not at all.
package patch

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"bulwark"
)

// File is what is to change in one file.
type File struct {
	Name      string
	fragments []*gitdiff.TextFragment // by place, none over another
}

// Join puts the unified diffs of all patches together, file by file in the order of
// their names. What a patch changes twice it changes once. left are those that cannot
// be used: malformed, or about lines that an earlier one changes as well.
func Join(patches []bulwark.Patch) (files []File, left []error) {
	byName := map[string]*File{}
	for _, p := range patches {
		fragments, err := parse(&p)
		if err != nil {
			left = append(left, err)
			continue
		}
		f := byName[p.File]
		if f == nil {
			f = &File{Name: p.File}
			byName[p.File] = f
		}
		if err := f.add(fragments); err != nil {
			left = append(left, err)
		}
	}
	for _, f := range byName {
		if len(f.fragments) > 0 {
			files = append(files, *f)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, left
}

func parse(p *bulwark.Patch) ([]*gitdiff.TextFragment, error) {
	if p.Format != "unified-diff" {
		return nil, fmt.Errorf("patch of %s in the format %s: %w", p.File, p.Format, bulwark.ErrUnsupported)
	}
	files, _, err := gitdiff.Parse(strings.NewReader(p.Text))
	if err != nil || len(files) != 1 || files[0].IsBinary || len(files[0].TextFragments) == 0 {
		return nil, fmt.Errorf("patch of %s: %w", p.File, bulwark.ErrMalformed)
	}
	return files[0].TextFragments, nil
}

// add takes all fragments of a patch or none.
func (f *File) add(fragments []*gitdiff.TextFragment) error {
	for _, n := range fragments {
		for _, o := range f.fragments {
			if same(n, o) {
				return nil
			}
			if n.OldPosition < o.OldPosition+max(o.OldLines, 1) && o.OldPosition < n.OldPosition+max(n.OldLines, 1) {
				return fmt.Errorf("%s: line %d is changed by another patch as well; apply that and ask again", f.Name, n.OldPosition)
			}
		}
	}
	f.fragments = append(f.fragments, fragments...)
	slices.SortFunc(f.fragments, func(a, b *gitdiff.TextFragment) int { return cmp.Compare(a.OldPosition, b.OldPosition) })
	return nil
}

func same(a, b *gitdiff.TextFragment) bool {
	return a.OldPosition == b.OldPosition && slices.Equal(a.Lines, b.Lines)
}

// Apply gives the content with the changes made. The error wraps ErrMalformed: the
// content is not what the patches were made for.
func (f *File) Apply(content []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := gitdiff.Apply(&out, bytes.NewReader(content), &gitdiff.File{OldName: f.Name, NewName: f.Name, TextFragments: f.fragments}); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", f.Name, bulwark.ErrMalformed, err)
	}
	return out.Bytes(), nil
}

// String is the unified diff of all changes.
func (f *File) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", f.Name, f.Name)
	shift := int64(0)
	for _, g := range f.fragments {
		moved := *g
		moved.NewPosition = g.OldPosition + shift
		shift += g.NewLines - g.OldLines
		b.WriteString(moved.String())
	}
	return b.String()
}
