package program

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// row is a program of the table.
type row struct {
	// name is the program's name in package URLs (pkg:generic/NAME), the one of
	// Bitnami's advisories where these know it.
	name string
	// bitnami is true when OSV's Bitnami ecosystem has advisories of that name, for the
	// versions that the program's makers count.
	bitnami bool
	// golang is true for what is reported as Go's standard library.
	golang bool
	// files are names, "*" standing for any text; one with slashes is matched against
	// as many of the path's last elements.
	files []string
	// anchors are literals that the version stands at; without one it is at the
	// file's start. "{v}" is the first number with a dot in the file's name.
	anchors []string
	// pattern is matched from the anchor on (the anchor included) and captures the version.
	pattern string

	// yes and no are contents in which the program is found, as the version after "=>"
	// says, and in which it is not.
	yes, no []string
}

// compiled patterns, by row; a scan uses few of them.
var compiled sync.Map

var numberInName = regexp.MustCompile(`\d+\.\d+`)

// search makes the row ready for a file of that name.
func (r *row) search(base string) (search, bool) {
	anchors, pattern := r.anchors, r.pattern
	if strings.Contains(pattern, "{v}") {
		v := numberInName.FindString(base)
		if v == "" {
			return search{}, false
		}
		pattern = strings.ReplaceAll(pattern, "{v}", regexp.QuoteMeta(v))
		replaced := make([]string, len(anchors))
		for i, a := range anchors {
			replaced[i] = strings.ReplaceAll(a, "{v}", v)
		}
		anchors = replaced
	}
	w := search{row: r, pattern: r.compile(pattern)}
	for _, a := range anchors {
		w.anchors = append(w.anchors, []byte(a))
	}
	return w, true
}

// compile keeps what it compiles of the table's own patterns, not of those that a
// foreign file's name went into.
func (r *row) compile(pattern string) *regexp.Regexp {
	if re, ok := compiled.Load(pattern); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + pattern + `)`)
	if pattern == r.pattern {
		compiled.Store(pattern, re)
	}
	return re
}

// index finds rows by file name without trying each.
type index struct {
	exact map[string][]*row
	globs [256][]glob // by the first byte of the name
}

type glob struct {
	before string // the name up to its first wildcard
	row    *row
}

var names = sync.OnceValue(func() *index {
	x := &index{exact: map[string][]*row{}}
	for i := range table {
		for _, file := range table[i].files {
			x.add(path.Base(file), &table[i])
		}
	}
	return x
})

func (x *index) add(base string, r *row) {
	i := strings.IndexAny(base, "*[")
	if i < 0 {
		x.exact[base] = append(x.exact[base], r)
		return
	}
	x.globs[base[0]] = append(x.globs[base[0]], glob{base[:i], r})
}

// find gives the rows that name a file. It allocates nothing when there is none.
func (x *index) find(file, base string) []*row {
	var rows []*row
	for _, r := range x.exact[base] {
		if !slices.Contains(rows, r) && r.at(file, base) {
			rows = append(rows, r)
		}
	}
	if base == "" {
		return rows
	}
	for _, g := range x.globs[base[0]] {
		if strings.HasPrefix(base, g.before) && !slices.Contains(rows, g.row) && g.row.at(file, base) {
			rows = append(rows, g.row)
		}
	}
	return rows
}

// at tells whether one of the row's names fits the whole path.
func (r *row) at(file, base string) bool {
	for _, pattern := range r.files {
		name := base
		if n := strings.Count(pattern, "/"); n > 0 {
			name = last(file, n+1)
		}
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// last is the last n elements of a path, or all of it.
func last(file string, n int) string {
	for i := len(file) - 1; i >= 0; i-- {
		if file[i] == '/' {
			if n--; n == 0 {
				return file[i+1:]
			}
		}
	}
	return file
}
