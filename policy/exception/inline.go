package exception

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"bulwark"
	"bulwark/internal/lazyregexp"
	"bulwark/kube"
	"bulwark/policy/internal/rule"
)

// The annotations by which an object excuses itself: the rules, with commas between them,
// and why, by whose word and until when.
const (
	Except        = "bulwark.dev/except"
	ExceptReason  = "bulwark.dev/except-reason"
	ExceptOwner   = "bulwark.dev/except-owner"
	ExceptExpires = "bulwark.dev/except-expires"
)

// The most that is taken of one target.
const (
	maxInline      = 5000 // exceptions
	maxInlineFile  = 8 << 20
	maxInlineFiles = 2000
	maxLocated     = 2000 // fields of one rendered object
)

// Inline reads the exceptions that a target's manifests say themselves: the annotations of
// objects, and comments "# bulwark:except RULE[,RULE] reason [owner=WHO] [expires=DATE]",
// which cover their line, or standing alone the next one, or at the head of an object all
// of it. Of charts and kustomizations they are those of the files that findings point into.
// read gives a file of the target; nil where there are none.
//
// Rules are named whole ("workload/privileged") or without their family; one that names all
// is refused. What has expired covers nothing. Both are notes, as is what lacks a reason.
func Inline(objects *kube.Set, read func(file string) ([]byte, error), now time.Time) ([]rule.Rule, []bulwark.Note) {
	in := inline{parser: parser{now: now}}
	if objects == nil {
		return nil, nil
	}
	files := map[string][]*kube.Object{}
	for _, o := range objects.Objects {
		in.annotations(o)
		if o.Origin.File != "" {
			files[o.Origin.File] = append(files[o.Origin.File], o)
		}
		for _, f := range written(o) {
			files[f] = append(files[f], nil)
		}
	}
	names := make([]string, 0, len(files))
	for file := range files {
		names = append(names, file)
	}
	slices.Sort(names)
	if read == nil && len(names) > 0 {
		in.notes = append(in.notes, note("", "comments (# bulwark:except) cannot be read of manifests that are no files of a folder, such as stdin; annotations of objects are honoured"))
		names = nil
	}
	if n := len(names) - maxInlineFiles; n > 0 {
		in.notes = append(in.notes, note("", "comments (# bulwark:except) are not read of more than %d files: %d are left", maxInlineFiles, n))
		names = names[:maxInlineFiles]
	}
	for _, file := range names {
		data, err := read(file)
		if err != nil {
			in.notes = append(in.notes, note(file, "comments in it are not read: %v", err))
			continue
		}
		in.comments(file, string(data[:min(len(data), maxInlineFile)]), files[file])
	}
	if n := len(in.rules); n > 0 {
		in.notes = append(in.notes, note("", "exceptions that the manifests make themselves are honoured (--inline-exceptions): %d", n))
	}
	return in.rules, in.notes
}

type inline struct{ parser }

// written are the files beside its own that what is said of a rendered object may stand in:
// where the fields of its pods and containers come from.
func written(o *kube.Object) (list []string) {
	if o.Origin.Locate == nil || o.Origin.Chart == "" && o.Origin.Overlay == "" {
		return nil
	}
	visited := 0
	var visit func(n *kube.Node, path []any)
	visit = func(n *kube.Node, path []any) {
		if visited++; visited > maxLocated {
			return
		}
		if at, ok := o.Origin.Locate(path); ok && at.File != "" && at.File != o.Origin.File && !slices.Contains(list, at.File) {
			list = append(list, at.File)
		}
		for name, v := range n.Fields() {
			visit(v, append(slices.Clip(path), name))
		}
		for i, v := range n.Items() {
			visit(v, append(slices.Clip(path), i))
		}
	}
	visit(o.Root, nil)
	return list
}

// annotations takes those of an object.
func (in *inline) annotations(o *kube.Object) {
	names, ok := o.Annotations[Except]
	if !ok {
		return
	}
	line := o.Place("metadata", "annotations", Except).Line
	in.take(cmp.Or(o.Origin.File, o.ID()), line, names, bulwark.Exception{
		Reason: printable(o.Annotations[ExceptReason]), Owner: printable(o.Annotations[ExceptOwner]), Source: cmp.Or(o.Origin.File, o.ID()) + " (annotation)",
	}, o.Annotations[ExceptExpires], rule.Rule{Object: &rule.Object{ID: literal(o.ID())}})
}

// take makes rules of names, unless something is wrong with them.
func (in *inline) take(file string, line int, names string, e bulwark.Exception, expires string, r rule.Rule) {
	list := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
	end, err := parseDate(strings.TrimSpace(expires))
	what := printable(names)
	switch {
	case len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return strings.Trim(s, "*?/") == "" }):
		in.notes = append(in.notes, note(file, "the exception of line %d names no rule, and is not honoured: %q", line, what))
		return
	case err != nil:
		in.notes = append(in.notes, note(file, "the exception of line %d for %q is not honoured: expires %q is no date such as 2027-01-31", line, what, printable(expires)))
		return
	case len(in.rules) >= maxInline:
		return
	}
	if !end.IsZero() {
		e.Expires = end.Format(time.DateOnly)
		if !in.now.IsZero() && !in.now.Before(end.AddDate(0, 0, 1)) {
			in.notes = append(in.notes, expired(file, line, what, e))
			return
		}
	}
	if why := missing(&e, expires); why != "" && len(in.notes) < maxDoubts {
		in.notes = append(in.notes, note(file, "%q (line %d) is excepted by the manifest itself, without %s", what, line, why))
	}
	r.Names, r.Exempt, r.Exception, r.Told = list, true, e, fmt.Sprintf("%q (%s, line %d)", what, file, line)
	in.rules = append(in.rules, r)
}

var comment = lazyregexp.New(`(^|\s)#\s*bulwark:except\s+(\S+)\s*(.*)$`)

// comments takes those of a file.
func (in *inline) comments(file, text string, objects []*kube.Object) {
	if !strings.Contains(text, "bulwark:except") {
		return
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		m := comment.FindStringSubmatchIndex(strings.TrimRight(l, "\r"))
		if m == nil {
			continue
		}
		l = strings.TrimRight(l, "\r")
		e := bulwark.Exception{Source: fmt.Sprintf("%s:%d (comment)", file, i+1)}
		expires := ""
		var words []string
		for _, w := range strings.Fields(l[m[6]:m[7]]) {
			switch name, v, _ := strings.Cut(w, "="); name {
			case "owner":
				e.Owner = printable(v)
			case "expires":
				expires = v
			default:
				words = append(words, w)
			}
		}
		e.Reason = printable(strings.Join(words, " "))
		r := rule.Rule{Paths: []string{escape(file)}, Lines: [2]int{i + 1, i + 1}}
		if strings.TrimSpace(l[:m[0]]) == "" {
			r.Lines = below(lines, i, objects)
		}
		in.take(file, i+1, l[m[4]:m[5]], e, expires, r)
	}
}

// below are the lines that a comment on a line of its own is about: the next one that says
// something, or all of the object that begins there.
func below(lines []string, at int, objects []*kube.Object) [2]int {
	next := at + 1
	for next < len(lines) && (strings.TrimSpace(lines[next]) == "" || strings.HasPrefix(strings.TrimSpace(lines[next]), "#") || strings.HasPrefix(lines[next], "---")) {
		next++
	}
	for _, o := range objects {
		if o != nil && o.Origin.Line == next+1 {
			end := next + 1
			for end < len(lines) && !strings.HasPrefix(lines[end], "---") {
				end++
			}
			return [2]int{next + 1, end}
		}
	}
	return [2]int{next + 1, next + 1}
}

// literal keeps an id from being read as a pattern.
func literal(s string) string { return strings.NewReplacer("*", "?", "[", "?").Replace(s) }

// printable makes foreign text fit to be shown.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "..."
	}
	return strings.Join(strings.Fields(s), " ")
}
