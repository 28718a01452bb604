package java

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"bulwark"
	"bulwark/extract/internal/lang"
	"bulwark/extract/internal/license"
)

const (
	// maxManifest bounds the main section; what follows it (checksums of signed jars,
	// any length) is not read.
	maxManifest = 1 << 20
	maxValue    = 4 << 10
)

// manifest is what the main section of a MANIFEST.MF says, of the names that help.
type manifest map[string]string

// useful are the names that are kept.
var useful = map[string]bool{
	"bundle-symbolicname": true, "bundle-name": true, "bundle-version": true, "bundle-license": true,
	"implementation-title": true, "implementation-version": true, "implementation-vendor-id": true,
	"specification-version": true, "automatic-module-name": true, "extension-name": true,
	"plugin-version": true, "short-name": true, "group-id": true, // Jenkins plugins
}

// readManifest reads up to the first empty line. It gives what it has read along with an
// error.
func readManifest(r io.Reader) (manifest, error) {
	m := manifest{}
	lines := mainSection{in: bufio.NewReaderSize(r, maxValue), left: maxManifest}
	var name string
	var value []byte
	for {
		line, err := lines.next()
		if len(line) > 0 && line[0] == ' ' {
			value = append(value, line[1:min(len(line), 1+maxValue-min(len(value), maxValue))]...)
		} else {
			m.put(name, value)
			key, rest, _ := bytes.Cut(line, []byte(":"))
			name, value = "", append(value[:0], rest...)
			if key := strings.ToLower(string(key[:min(len(key), 64)])); useful[key] {
				name = key
			}
		}
		if err == nil && len(line) > 0 {
			continue
		}
		m.put(name, value)
		if err == io.EOF {
			err = nil
		}
		return m, err
	}
}

// mainSection reads lines within the budget of a manifest.
type mainSection struct {
	in   *bufio.Reader
	left int
}

// next gives a line without its end, and of an overlong one its start; valid until the
// next call.
func (s *mainSection) next() ([]byte, error) {
	line, err := s.in.ReadSlice('\n')
	s.left -= len(line)
	if errors.Is(err, bufio.ErrBufferFull) {
		line = bytes.Clone(line)
	}
	for errors.Is(err, bufio.ErrBufferFull) && s.left >= 0 {
		var more []byte
		more, err = s.in.ReadSlice('\n')
		s.left -= len(more)
	}
	if s.left < 0 {
		return nil, fmt.Errorf("manifest larger than %d bytes: %w", maxManifest, bulwark.ErrLimit)
	}
	return bytes.TrimRight(line, "\r\n"), err
}

func (m manifest) put(name string, value []byte) {
	if name == "" {
		return
	}
	if v := strings.TrimSpace(string(value)); v != "" && lang.Printable(v) && !strings.Contains(v, "${") {
		m[name] = v
	}
}

// symbolicName is the bundle's name without its directives.
func (m manifest) symbolicName() string {
	name, _, _ := strings.Cut(m["bundle-symbolicname"], ";")
	return strings.TrimSpace(name)
}

// version is the first that is one.
func (m manifest) version() string {
	for _, key := range []string{"implementation-version", "plugin-version", "bundle-version", "specification-version"} {
		v, _, _ := strings.Cut(m[key], " ")
		if key == "bundle-version" {
			v = strings.TrimSuffix(strings.TrimSuffix(v, ".qualifier"), ".SNAPSHOT")
		}
		if v, ok := lang.Version(v); ok && numeric(v) {
			return v
		}
	}
	return ""
}

// licenses reads Bundle-License: names or addresses with attributes, joined by commas.
func (m manifest) licenses() []string {
	var words []string
	for l := range strings.SplitSeq(m["bundle-license"], ",") {
		w, _, _ := strings.Cut(l, ";")
		words = append(words, strings.Trim(w, `" `))
	}
	return license.List(words...)
}
