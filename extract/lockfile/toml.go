package lockfile

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"
)

// tomlLocks reads the lockfiles that tools write as one [[package]] block for each
// package, one key a line: Cargo's, Poetry's, PDM's and uv's. It knows no more TOML
// than these tools write, so that it costs what the file's lines cost.
func tomlLocks(typ string) reader {
	return func(_ context.Context, _ string, content []byte) ([]declared, error) {
		t := tomlLock{typ: typ, dev: map[string]bool{}, run: map[string]bool{}}
		for line := range lines(content) {
			t.line(line)
		}
		t.end()
		for i := range t.list {
			d := &t.list[i]
			d.dev = d.dev || t.dev[d.name] && !t.run[d.name]
		}
		if len(t.list) == 0 && !t.toml {
			return nil, errNoContent
		}
		return t.list, nil
	}
}

// textMark starts and ends a text of several lines.
const textMark = `"""`

type tomlLock struct {
	typ   string
	list  []declared
	now   declared
	table string // the header that the line stands below
	array string // the key whose list goes on over lines
	text  bool   // inside a text that goes on over lines
	toml  bool   // something was understood

	dev, run map[string]bool // uv: what is asked for by groups, by packages
	skip     bool
}

func (t *tomlLock) line(line string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case t.text:
		t.text = !strings.Contains(trimmed, textMark)
	case trimmed == "" || trimmed[0] == '#':
	case t.array != "":
		t.element(trimmed)
	case trimmed[0] == '[':
		t.toml = true
		if trimmed == "[[package]]" || !strings.HasPrefix(trimmed, "[package.") {
			t.end()
		}
		t.table = strings.Trim(trimmed, "[] ")
	default:
		key, value, ok := strings.Cut(trimmed, "=")
		if !ok {
			return
		}
		t.toml = true
		t.set(strings.TrimSpace(key), strings.TrimSpace(value))
	}
}

// element takes a line of a list that goes on over lines.
func (t *tomlLock) element(line string) {
	t.need(line)
	if strings.HasPrefix(line, "]") {
		t.array = ""
	}
}

// need notes the package that an element such as { name = "x", ... } asks for.
func (t *tomlLock) need(line string) {
	_, rest, ok := strings.Cut(line, `{ name = "`)
	name, _, closed := strings.Cut(rest, `"`)
	switch {
	case !ok || !closed:
	case t.array == "dependencies" && t.table == "package":
		t.run[name] = true
	case t.table == "package.dev-dependencies", t.table == "package.optional-dependencies" && (t.array == "dev" || t.array == "test"):
		t.dev[name] = true
	case t.table == "package.optional-dependencies":
		t.run[name] = true
	}
}

func (t *tomlLock) set(key, value string) {
	if value == "[" {
		t.array = key
		return
	}
	if strings.HasPrefix(value, textMark) {
		t.text = !strings.Contains(value[len(textMark):], textMark)
		return
	}
	if t.table != "package" {
		return
	}
	switch key {
	case "name":
		t.now.name = unquote(value)
	case "version":
		t.now.version = unquote(value)
	case "category":
		t.now.dev = unquote(value) == "dev"
	case "groups":
		t.now.dev = value == `["dev"]` || value == `["test"]`
	case "source":
		t.skip = strings.Contains(value, `virtual = "."`)
	}
}

// end finishes the package of the block.
func (t *tomlLock) end() {
	if t.now.name != "" && !t.skip {
		t.now.typ = t.typ
		t.list = append(t.list, t.now)
	}
	t.now, t.skip, t.array = declared{}, false, ""
}

// unquote reads a quoted text; what is not quoted is itself.
func unquote(s string) string {
	if v, err := strconv.Unquote(s); err == nil {
		return v
	}
	return strings.Trim(s, `"'`)
}

// lines are the lines of content, without their ends.
func lines(content []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range bytes.Lines(content) {
			if !yield(string(bytes.TrimRight(line, "\r\n"))) {
				return
			}
		}
	}
}
