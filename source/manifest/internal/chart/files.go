package chart

import (
	"bytes"
	"encoding/base64"
	"path"
	"strings"

	"github.com/gobwas/glob"
)

// Files are the files of a chart that are no templates. There are no others: whatever path
// a template asks for is looked up here, not on the disk.
type Files map[string][]byte

func (c *Chart) fileMap() Files {
	m := Files{}
	for _, f := range c.Files {
		m[f.Name] = f.Data
	}
	return m
}

// GetBytes, Get, Lines, Glob, AsConfig and AsSecrets are for templates.
func (f Files) GetBytes(name string) []byte {
	if b, ok := f[name]; ok {
		return b
	}
	return []byte{}
}

// Get is the text of a file; "" when there is none.
func (f Files) Get(name string) string { return string(f.GetBytes(name)) }

// Lines are those of a file.
func (f Files) Lines(name string) ([]string, error) {
	if len(f[name]) == 0 {
		return []string{}, nil
	}
	if bytes.Count(f[name], []byte("\n")) > maxRound {
		return nil, tooMuch("Files.Lines")
	}
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n"), nil
}

// Glob gives the files whose names fit the pattern.
func (f Files) Glob(pattern string) Files {
	g, err := glob.Compile(pattern, '/')
	if err != nil || len(pattern) > 1024 {
		g = glob.MustCompile("**")
	}
	out := Files{}
	for name, b := range f {
		if g.Match(name) {
			out[name] = b
		}
	}
	return out
}

// AsConfig writes the files as the data of a ConfigMap.
func (f Files) AsConfig() (string, error) {
	return f.as(func(b []byte) string { return string(b) })
}

// AsSecrets writes the files as the data of a Secret.
func (f Files) AsSecrets() (string, error) { return f.as(base64.StdEncoding.EncodeToString) }

func (f Files) as(text func([]byte) string) (string, error) {
	if f == nil {
		return "", nil
	}
	m, size := map[string]string{}, 0
	for _, name := range sorted(f) {
		if size += len(f[name]); size > maxText {
			return "", tooMuch("the files of a ConfigMap or Secret")
		}
		m[path.Base(name)] = text(f[name])
	}
	return toYAML(m), nil
}
