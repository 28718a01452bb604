package kube

import (
	"errors"
	"testing"

	"bulwark"
)

func TestApply(t *testing.T) {
	const pod = `{"spec":{"containers":[{"name":"a","cap":["X","Y","Z"]}],"n":null}}`
	for name, tt := range map[string]struct {
		edits []Edit
		want  string
	}{
		"nothing":          {nil, pod},
		"set":              {[]Edit{Put("b", "spec", "containers", 0, "name")}, `{"spec":{"containers":[{"name":"b","cap":["X","Y","Z"]}],"n":null}}`},
		"make parents":     {[]Edit{Put(true, "spec", "n", "x", "y"), Put(1, "spec", "n", "x", "z")}, `{"spec":{"containers":[{"name":"a","cap":["X","Y","Z"]}],"n":{"x":{"y":true,"z":1}}}}`},
		"positions stay":   {[]Edit{Drop("spec", "containers", 0, "cap", 0), Drop("spec", "containers", 0, "cap", 2), Drop("spec", "containers", 0, "cap", 0)}, `{"spec":{"containers":[{"name":"a","cap":["Y"]}],"n":null}}`},
		"append":           {[]Edit{Drop("spec", "containers", 0, "cap", 0), {Path: []any{"spec", "containers", 0, "cap"}, Value: "W", Append: true}}, `{"spec":{"containers":[{"name":"a","cap":["Y","Z","W"]}],"n":null}}`},
		"append to none":   {[]Edit{{Path: []any{"l"}, Value: "W", Append: true}}, `{"spec":{"containers":[{"name":"a","cap":["X","Y","Z"]}],"n":null},"l":["W"]}`},
		"drop what is not": {[]Edit{Drop("spec", "x", "y"), Drop("spec", "containers", 1)}, pod},
		"drop, then put":   {[]Edit{Drop("spec"), Put("b", "spec")}, `{"spec":"b"}`},
	} {
		root, _ := ParseJSON([]byte(pod))
		got, err := Apply(root, tt.edits)
		want, _ := ParseJSON([]byte(tt.want))
		if err != nil || !got.Equal(want) || !want.Equal(got) {
			t.Errorf("%s: %s, %v, want %s", name, got.JSON(), err, tt.want)
		}
		if string(root.JSON()) != pod {
			t.Errorf("%s: what was given is changed: %s", name, root.JSON())
		}
	}
	root, _ := ParseJSON([]byte(pod))
	for _, e := range []Edit{Put(1, "spec", "containers", "name"), Put(1, "spec", 0), Put(1, "spec", "containers", 2), Put(1, "spec", -1), {Path: []any{"spec"}, Append: true}, Put(1.5, "x"), Put(1, true)} {
		if _, err := Apply(root, []Edit{e}); !errors.Is(err, bulwark.ErrMalformed) {
			t.Errorf("%v: %v", e, err)
		}
	}
}
