package lockfile

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"strings"

	"bulwark/extract/internal/lang"
)

// tomlLocks reads the lockfiles that tools write as one [[package]] block for each
// package: Cargo's, Poetry's, PDM's and uv's. Of TOML it reads the structure alone, so that
// it costs what the file's bytes cost. A fault ends the reading.
func tomlLocks(typ string) reader {
	return func(_ context.Context, _ string, content []byte) ([]declared, error) {
		t := tomlLock{typ: typ, dev: map[string]bool{}, run: map[string]bool{}}
		err := t.read(&tomlScanner{b: bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))})
		for i := range t.list {
			d := &t.list[i]
			d.dev = d.dev || t.dev[d.name] && !t.run[d.name]
		}
		return t.list, err
	}
}

type tomlLock struct {
	typ   string
	list  []declared
	now   declared
	open  bool   // inside a package's block
	table string // the header that the line stands below

	dev, run map[string]bool // uv: what is asked for by groups, by packages
	skip     bool
}

func (t *tomlLock) read(scan *tomlScanner) error {
	for {
		s, err := scan.next()
		switch {
		case err != nil:
			if t.now.name != "" && t.now.version != "" {
				t.end()
			}
			return err
		case s == nil:
			return t.end()
		case s.key != "":
			err = t.set(s.key, s.value)
		default:
			err = t.header(s)
		}
		if err != nil {
			return err
		}
		if err := full(t.list); err != nil {
			return err
		}
	}
}

func (t *tomlLock) header(s *statement) error {
	t.table = s.table
	if strings.HasPrefix(s.table, "package.") {
		return nil
	}
	err := t.end()
	if t.open = s.table == "package"; t.open && !s.list {
		return lang.Malformed("package is one table, not a list of them")
	}
	return err
}

func (t *tomlLock) set(key string, value []byte) (err error) {
	switch {
	case t.table == "" && key == "package" && string(value) != "[]":
		return lang.Malformed("package is no list of tables")
	case t.table == "package":
		return t.attribute(key, value)
	case t.table == "package.dev-dependencies", t.table == "package.optional-dependencies" && (key == "dev" || key == "test"):
		need(t.dev, value)
	case t.table == "package.optional-dependencies":
		need(t.run, value)
	}
	return nil
}

func (t *tomlLock) attribute(key string, value []byte) (err error) {
	switch key {
	case "name":
		t.now.name, err = tomlText(key, value)
	case "version":
		t.now.version, err = tomlText(key, value)
	case "category":
		t.now.dev = string(value) == `"dev"`
	case "groups":
		t.now.dev = string(value) == `["dev"]` || string(value) == `["test"]`
	case "dependencies":
		need(t.run, value)
	case "source":
		t.skip = bytes.Contains(value, []byte(`virtual = "."`))
	}
	return err
}

// need notes the packages that elements such as { name = "x", ... } ask for.
func need(names map[string]bool, value []byte) {
	for {
		_, rest, ok := bytes.Cut(value, []byte(`{ name = "`))
		name, after, closed := bytes.Cut(rest, []byte(`"`))
		if !ok || !closed {
			return
		}
		names[string(name)] = true
		value = after
	}
}

// end finishes the package of the block.
func (t *tomlLock) end() error {
	now, open, skip := t.now, t.open, t.skip
	t.now, t.open, t.skip = declared{typ: t.typ}, false, false
	switch {
	case !open || skip:
		return nil
	case now.name == "":
		return lang.Malformed("a package without a name")
	}
	now.typ = t.typ
	t.list = append(t.list, now)
	return nil
}

// tomlText reads a quoted text.
func tomlText(key string, value []byte) (string, error) {
	if value[0] != '"' && value[0] != '\'' {
		return "", lang.Malformed("%s of a package is no text", key)
	}
	s := string(value)
	if v, err := strconv.Unquote(s); err == nil {
		return v, nil
	}
	return strings.Trim(s, `"'`), nil
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
