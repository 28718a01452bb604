package yamlerr_test

import (
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"bulwark/internal/yamlerr"
)

func TestPlain(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"- a", "line 1: a list does not belong here"},
		{"names: {a: b}", "line 1: an object with keys does not belong here"},
		{"count: a few", `line 1: "a few" does not belong here`},
		{"name: a\nnme: b\n", "line 2: no key is called nme"},
		{"nme: b\ncount: x\n", `line 1: no key is called nme; line 2: "x" does not belong here`},
		{"name: [", "yaml: line 1: did not find expected node content"},
	} {
		var to struct {
			Name  string
			Names []string
			Count int
		}
		d := yaml.NewDecoder(strings.NewReader(tt.file))
		d.KnownFields(true)
		err := d.Decode(&to)
		if err == nil {
			t.Fatalf("%q was read", tt.file)
		}
		if got := yamlerr.Plain(err); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.file, got, tt.want)
		}
	}
	if got := yamlerr.Plain(errors.New("two\nlines")); got != "two lines" {
		t.Error(got)
	}
}
