// Package schema validates what formats write, in tests.
package schema

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Valid reports it as an error of t when doc does not keep to the schema text.
// others are schemas that it refers to, by address.
func Valid(t *testing.T, text, doc []byte, others map[string][]byte) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for url, s := range others {
		add(t, c, url, s)
	}
	add(t, c, "urn:the-schema", text)
	s, err := c.Compile("urn:the-schema")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%v", err)
	}
}

func add(t *testing.T, c *jsonschema.Compiler, url string, text []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(url, v); err != nil {
		t.Fatal(err)
	}
}

// ModuleFile is the path of a file of a module that go.mod requires.
func ModuleFile(t *testing.T, module, name string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("finding %s: %v", module, err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), filepath.FromSlash(name))
}
