package python

import (
	"bytes"
	"fmt"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
)

// metadata is what a METADATA, PKG-INFO or Conda record says.
type metadata struct {
	name, version       string
	expression, license string
	classifiers         []string // the licence ones, last part
}

// maxClassifiers bounds the licences of one distribution.
const maxClassifiers = 32

// parse reads the header of a METADATA (PEP 566: mail headers, one a line, continued by
// blanks), up to the empty line. It gives what it has read along with an error.
func parse(data []byte) (m metadata, err error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	cut := len(data) == maxHeader
	var odd error
	continued := false // the licence header goes on: it is a text, not a name
	for len(data) > 0 {
		line, rest, ended := bytes.Cut(data, []byte("\n"))
		data = rest
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			return m, odd
		}
		if line[0] == ' ' || line[0] == '\t' {
			if continued {
				m.license = ""
			}
			continue
		}
		if !ended && cut {
			break
		}
		key, value, ok := bytes.Cut(line, []byte(":"))
		continued = false
		if !ok || len(key) > 32 {
			continue
		}
		if err := m.put(strings.ToLower(string(key)), value); err != nil {
			odd = err
		}
		continued = bytes.EqualFold(key, []byte("license"))
	}
	if cut {
		return m, fmt.Errorf("metadata with a header of more than %d bytes: %w", maxHeader, bulwark.ErrLimit)
	}
	return m, odd
}

// put keeps a header. The first name and version count, as for pip.
func (m *metadata) put(key string, raw []byte) error {
	ok := true
	switch key {
	case "name":
		if m.name == "" {
			m.name, ok = keep(lang.Name(string(raw)))
		}
	case "version":
		if m.version == "" {
			m.version, ok = keep(lang.Version(string(raw)))
		}
	case "license-expression":
		m.expression = strings.TrimSpace(string(raw))
	case "license":
		m.license = strings.TrimSpace(string(raw))
	case "classifier":
		if len(m.classifiers) < maxClassifiers {
			m.classifier(strings.TrimSpace(string(raw)))
		}
	}
	if !ok {
		return lang.Malformed("Python metadata: odd %s", key)
	}
	return nil
}

func keep(s string, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	return s, true
}

// classifier keeps "License :: OSI Approved :: MIT License"; "License :: OSI Approved"
// alone names none.
func (m *metadata) classifier(s string) {
	rest, ok := strings.CutPrefix(s, "License :: ")
	if !ok {
		return
	}
	if i := strings.LastIndex(rest, " :: "); i >= 0 {
		rest = rest[i+4:]
	}
	if rest != "OSI Approved" && rest != "Other/Proprietary License" {
		m.classifiers = append(m.classifiers, rest)
	}
}
