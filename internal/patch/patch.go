// Package patch joins the unified diffs that findings carry and applies them. A diff
// applies at the lines that it names or not at all.
package patch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"bulwark"
	"bulwark/internal/telling"
)

// File is what is to change in one file.
type File struct {
	Name  string
	edits []edit   // by place, none over another
	holds []placed // lines that patches take to be there, as context
}

// edit puts lines in the place of others. Lines have their endings.
type edit struct {
	at       int // the first of the old lines, or what the new ones come before; from 0
	old, new []string
	parts    [][]string // what was put together to new, if that is several
}

func (e *edit) end() int { return e.at + len(e.old) }

type placed struct {
	at   int
	line string
}

// Join puts the unified diffs of all patches together, file by file in the order of
// their names. What several change in the same way is changed once. left are those that
// cannot be used: malformed, or about lines that an earlier one changes as well. One may
// put lines before a line that another changes.
func Join(patches []bulwark.Patch) (files []File, left []error) {
	byName := map[string]*File{}
	for _, p := range patches {
		edits, holds, err := parse(&p)
		if err != nil {
			left = append(left, err)
			continue
		}
		f := byName[p.File]
		if f == nil {
			f = &File{Name: p.File}
			byName[p.File] = f
		}
		if err := f.add(edits); err != nil {
			left = append(left, err)
			continue
		}
		f.holds = append(f.holds, holds...)
	}
	for _, f := range byName {
		if len(f.edits) > 0 {
			files = append(files, *f)
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, left
}

func parse(p *bulwark.Patch) (edits []edit, holds []placed, err error) {
	if p.Format != "unified-diff" {
		return nil, nil, fmt.Errorf("patch of %s in the format %s: %w", p.File, p.Format, bulwark.ErrUnsupported)
	}
	files, _, err := gitdiff.Parse(strings.NewReader(p.Text))
	if err != nil || len(files) != 1 || files[0].IsBinary {
		return nil, nil, fmt.Errorf("patch of %s: %w", p.File, bulwark.ErrMalformed)
	}
	for _, f := range files[0].TextFragments {
		e, h := editsOf(f)
		edits, holds = append(edits, e...), append(holds, h...)
	}
	if len(edits) == 0 {
		return nil, nil, fmt.Errorf("patch of %s changes nothing: %w", p.File, bulwark.ErrMalformed)
	}
	return edits, holds, nil
}

// editsOf takes a hunk apart into what it changes and what it holds on to.
func editsOf(f *gitdiff.TextFragment) (edits []edit, holds []placed) {
	at := int(f.OldPosition) - 1
	if f.OldLines == 0 {
		at++ // it names the line before
	}
	open := false
	for _, l := range f.Lines {
		if l.Op == gitdiff.OpContext {
			holds = append(holds, placed{at, l.Line})
			at++
			open = false
			continue
		}
		if !open {
			edits = append(edits, edit{at: at})
			open = true
		}
		e := &edits[len(edits)-1]
		if l.Op == gitdiff.OpDelete {
			e.old = append(e.old, l.Line)
			at++
		} else {
			e.new = append(e.new, l.Line)
		}
	}
	return edits, holds
}

// add takes all edits of a patch or none.
func (f *File) add(edits []edit) error {
	var fresh, joined []edit
	for _, n := range edits {
		known := false
		for i := range f.edits {
			o := &f.edits[i]
			switch {
			case o.has(&n):
				known = true
			case f.sensitive() && (n.behind(o) || o.behind(&n)):
				return f.both(n.at)
			case n.at == o.at && (len(n.old) == 0) != (len(o.old) == 0): // lines before one that is changed
			case f.sensitive() && n.at == o.at && siblings(o, &n):
				joined = append(joined, n)
				known = true
			case n.at < o.end() && o.at < n.end(), n.at == o.at:
				return f.both(n.at)
			}
		}
		if !known {
			fresh = append(fresh, n)
		}
	}
	for _, n := range joined {
		i := slices.IndexFunc(f.edits, func(o edit) bool { return o.at == n.at && len(o.old) == 0 })
		f.edits[i].join(&n)
	}
	f.edits = append(f.edits, fresh...)
	slices.SortFunc(f.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(len(a.old), len(b.old)))
	})
	return nil
}

func (f *File) both(at int) error {
	return fmt.Errorf("%s: line %d is changed by another patch as well; apply that and ask again", f.Name, at+1)
}

// Apply gives the content with the changes made. The error wraps ErrMalformed: the
// content is not what the patches were made for.
func (f *File) Apply(content []byte) ([]byte, error) {
	lines, err := f.lines(content)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	at := 0
	for _, e := range f.edits {
		b.WriteString(strings.Join(lines[at:e.at], ""))
		b.WriteString(strings.Join(e.new, ""))
		at = e.end()
	}
	b.WriteString(strings.Join(lines[at:], ""))
	return []byte(b.String()), nil
}

// lines splits the content, when it is what the patches were made for.
func (f *File) lines(content []byte) ([]string, error) {
	lines := strings.SplitAfter(string(content), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	holds := slices.Clone(f.holds)
	for _, e := range f.edits {
		if e.at < 0 || e.end() > len(lines) {
			return nil, f.elsewhere(e.at)
		}
		for i, l := range e.old {
			holds = append(holds, placed{e.at + i, l})
		}
	}
	for _, h := range holds {
		if h.at < 0 || h.at >= len(lines) || lines[h.at] != h.line {
			return nil, f.elsewhere(h.at)
		}
	}
	return lines, nil
}

func (f *File) elsewhere(at int) error {
	return fmt.Errorf("%s: line %d is not what the patch was made for: %w", f.Name, at+1, bulwark.ErrMalformed)
}

// context is how many lines around a change a diff shows.
const context = 3

// Diff is the unified diff of all changes to the content. Lines that may hold a secret end
// the context early: what no patch shows the diff of all does not show either.
func (f *File) Diff(content []byte) (string, error) {
	lines, err := f.lines(content)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	name := f.Name
	if strings.Contains(name, " ") {
		name += "\t" // it ends the name, as blanks do not
	}
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", name, name)
	shift := 0
	for first := 0; first < len(f.edits); {
		last := first + 1
		for last < len(f.edits) && together(lines, &f.edits[last-1], &f.edits[last]) {
			last++
		}
		shift += hunk(&b, lines, f.edits[first:last], shift)
		first = last
	}
	return b.String(), nil
}

// together tells whether two edits go into one hunk.
func together(lines []string, a, b *edit) bool {
	return b.at-a.end() <= 2*context && !slices.ContainsFunc(lines[a.end():b.at], telling.Line)
}

// around is how many lines before at, and from end on, a hunk shows. One more on one side
// than on the other is what patch(1) puts up with.
func around(lines []string, at, end int) (before, after int) {
	for before < min(context, at) && !telling.Line(lines[at-before-1]) {
		before++
	}
	for after < min(context, len(lines)-end) && !telling.Line(lines[end+after]) {
		after++
	}
	if before < at {
		after = min(after, before+1)
	}
	if end+after < len(lines) {
		before = min(before, after+1)
	}
	return before, after
}

// hunk writes edits that are near each other, and gives by how much they make the file
// longer.
func hunk(b *strings.Builder, lines []string, edits []edit, shift int) int {
	from, to := edits[0].at, edits[len(edits)-1].end()
	before, after := around(lines, from, to)
	from, to = from-before, to+after
	var body strings.Builder
	grown, at := 0, from
	for _, e := range edits {
		write(&body, ' ', lines[at:e.at])
		write(&body, '-', e.old)
		write(&body, '+', e.new)
		grown += len(e.new) - len(e.old)
		at = e.end()
	}
	write(&body, ' ', lines[at:to])
	start := from + 1
	if to == from {
		start = from // a hunk without old lines names the line before
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n%s", start, to-from, from+shift+1, to-from+grown, body.String())
	return grown
}

func write(b *strings.Builder, sign byte, lines []string) {
	for _, l := range lines {
		b.WriteByte(sign)
		b.WriteString(l)
		if !strings.HasSuffix(l, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// Has tells whether the changes of a patch are among those of the file.
func (f *File) Has(p *bulwark.Patch) bool {
	edits, _, err := parse(p)
	return err == nil && !slices.ContainsFunc(edits, func(e edit) bool {
		return !slices.ContainsFunc(f.edits, func(o edit) bool { return o.has(&e) })
	})
}
