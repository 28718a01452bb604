package gem

import (
	"bytes"
	"strings"

	"bulwark/extract/internal/lang"
)

// maxLicenses bounds the licences of one gem.
const maxLicenses = 32

// parse reads the assignments of a specification as RubyGems writes them, one a line,
// each to a literal: s.name = "rake".freeze. Anything else is Ruby and is passed over.
// Lines may be of any length. It gives what it has read along with an error.
func parse(data []byte) (s spec, err error) {
	var stub spec
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			stub.comment(line)
			continue
		}
		key, value, ok := assignment(line)
		if !ok {
			continue
		}
		if odd := s.put(key, value); odd != nil {
			err = odd
		}
	}
	if s.name == "" {
		s.name = stub.name
	}
	if s.version == "" && s.name == stub.name {
		s.version, s.platform = stub.version, stub.platform
	}
	return s, err
}

// comment reads "# stub: debug 1.6.3 ruby lib".
func (s *spec) comment(line []byte) {
	rest, ok := bytes.CutPrefix(line, []byte("# stub: "))
	if !ok || s.name != "" {
		return
	}
	fields := strings.Fields(string(rest[:min(len(rest), 1024)]))
	if len(fields) < 3 {
		return
	}
	name, ok1 := lang.Name(fields[0])
	version, ok2 := lang.Version(fields[1])
	platform, ok3 := lang.Name(fields[2])
	if ok1 && ok2 && ok3 {
		s.name, s.version, s.platform = name, version, platform
	}
}

// assignment divides `s.name = "x"` (the variable may have any name).
func assignment(line []byte) (key string, value []byte, ok bool) {
	left, value, ok := bytes.Cut(line[:min(len(line), 64<<10)], []byte("="))
	if !ok || len(left) > 64 {
		return "", nil, false
	}
	_, k, ok := strings.Cut(strings.TrimSpace(string(left)), ".")
	switch k {
	case "name", "version", "platform", "license", "licenses":
		return k, bytes.TrimSpace(value), ok
	}
	return "", nil, false
}

func (s *spec) put(key string, value []byte) error {
	text, _, ok := literal(value)
	switch key {
	case "license", "licenses":
		s.licenses = literals(value)
		return nil
	case "version":
		if rest, found := bytes.CutPrefix(value, []byte("Gem::Version.new(")); found {
			text, _, ok = literal(rest)
		}
	}
	if !ok {
		return nil // an expression: the stub or the file's name tells
	}
	var fine bool
	switch key {
	case "name":
		s.name, fine = lang.Name(text)
	case "version":
		s.version, fine = lang.Version(text)
	case "platform":
		s.platform, fine = lang.Name(text)
	}
	if fine {
		return nil
	}
	*s = spec{licenses: s.licenses}
	return lang.Malformed("gem specification: odd %s", key)
}

// literals reads a string or a list of strings.
func literals(value []byte) (list []string) {
	value = bytes.TrimPrefix(value, []byte("["))
	for len(list) < maxLicenses {
		text, rest, ok := literal(bytes.TrimLeft(value, " "))
		if !ok {
			return list
		}
		list = append(list, text)
		if rest, ok = bytes.CutPrefix(bytes.TrimPrefix(rest, []byte(".freeze")), []byte(",")); !ok {
			return list
		}
		value = rest
	}
	return list
}

// closing are the ends of the string literals that RubyGems writes and people use.
var closing = map[byte]byte{'"': '"', '\'': '\'', '<': '>', '(': ')', '{': '}', '[': ']', '|': '|'}

// literal reads a string literal at the start of value. One with an escape or an
// interpolation is none: its text would be a guess.
func literal(value []byte) (text string, rest []byte, ok bool) {
	if len(value) > 2 && value[0] == '%' && (value[1] == 'q' || value[1] == 'Q') {
		value = value[2:]
	} else if len(value) == 0 || value[0] != '"' && value[0] != '\'' {
		return "", nil, false
	}
	end, known := closing[value[0]]
	i := bytes.IndexByte(value[1:], end)
	if !known || i < 0 {
		return "", nil, false
	}
	text = string(value[1 : 1+i])
	return text, value[i+2:], !strings.ContainsRune(text, '\\') && !strings.Contains(text, "#{")
}
