//go:build linux

package hostile

import (
	"bytes"
	"strings"
	"testing"
)

// TestMismatches scans layouts whose parts are not what their descriptors say.
func TestMismatches(t *testing.T) {
	t.Parallel()
	other := digestOf([]byte("other"))
	one := func() blob { return layerOf(t, debian(good)...) }
	two := func() blob { return layerOf(t, distroless(next)...) }
	both := func() *layout { return newLayout(one(), two()) }
	for _, tt := range []struct {
		name   string
		layout func() *layout
		want   want
	}{
		{"bytes of a blob", func() *layout {
			b := two()
			b.data = flip(b.data, 4) // the time in gzip's header: it inflates to the same
			return newLayout(one(), b)
		}, want{4, "not trusted", []string{good}}},
		{"another blob", func() *layout {
			b := two()
			b.data = layerOf(t, distroless("evil 6.6")...).data
			b.size = int64(len(b.data))
			return newLayout(one(), b)
		}, want{4, "not trusted", []string{good}}},
		{"larger than said", func() *layout { b := two(); b.size -= 3; return newLayout(one(), b) }, want{4, "not trusted", []string{good}}},
		{"smaller than said", func() *layout { b := two(); b.size += 3; return newLayout(one(), b) }, want{4, "not trusted", []string{good}}},
		{"wrong diffID", func() *layout { b := two(); b.diffID = other; return newLayout(one(), b) }, want{4, "not trusted", []string{good}}},
		{"missing blob", func() *layout { b := two(); b.data = nil; return newLayout(one(), b) }, want{4, "not found", []string{good}}},
		{"every blob missing", func() *layout { b := two(); b.data = nil; return newLayout(b) }, want{1, "not found", nil}},
		{"the only layer is another", func() *layout { b := one(); b.diffID = other; return newLayout(b) }, want{1, "not trusted", nil}},
		{"bytes of the manifest", func() *layout {
			l := both()
			l.raw["manifest"] = []byte(`{"schemaVersion":2}`)
			return l
		}, want{1, "not trusted", nil}},
		{"bytes of the configuration", func() *layout {
			l := both()
			l.raw["config"] = bytes.Replace(toJSON(t, l.config), []byte("amd64"), []byte("arm64"), 1)
			return l
		}, want{1, "not trusted", nil}},
		{"fewer diffIDs than layers", func() *layout {
			l := both()
			l.config = newLayoutConfig([]string{one().diffID})
			return l
		}, want{1, "malformed", nil}},
		{"no diffIDs", func() *layout { l := both(); delete(l.config, "rootfs"); return l }, want{1, "malformed", nil}},
		{"diffID is no digest", func() *layout { l := both(); l.config = newLayoutConfig([]string{"../../x", "y"}); return l }, want{1, "malformed", nil}},
		{"digest leads out", func() *layout {
			l := both()
			l.manifest["config"] = describe(configType, "sha256:../../../../etc/passwd", 10)
			return l
		}, want{1, "malformed", nil}},
		{"negative size", func() *layout {
			l := both()
			l.manifest["layers"] = []object{describe(layerType, one().digest, -5), describe(layerType, two().digest, -1)}
			return l
		}, want{1, "malformed", nil}},
		{"huge manifest claimed", func() *layout {
			l := both()
			l.index["manifests"] = []object{describe(manifestType, other, 1<<50)}
			return l
		}, want{1, "limit exceeded", nil}},
		{"index of itself", func() *layout { l := both(); l.raw["index"] = []byte(strings.Repeat("[", 1e6)); return l }, want{1, "malformed", nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			bad := tt.layout().write(r, "bad")
			res := r.scan(bad)
			tt.want.check(t, res)
			for _, p := range packages(&res.report) {
				if p != good && !strings.Contains(tt.want.words, "malformed") {
					t.Errorf("package %q out of bytes that cannot be believed", p)
				}
			}
			want{4, tt.want.words, []string{next}}.check(t, r.scan(bad, r.next()))
		})
	}
}

// TestWrongTypes puts values of the wrong type into the documents of a layout.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	values := map[string]any{"number": 7, "text": "x", "null": nil, "list": []any{1, "a", nil}, "object": object{"a": object{}}}
	r := newRoom(t)
	for what, members := range map[string][]string{
		"index": {"manifests", "schemaVersion"}, "manifest": {"config", "layers", "annotations"},
		"config": {"rootfs", "history", "config", "created", "os"},
	} {
		for _, m := range members {
			for kind, v := range values {
				l := newLayout(layerOf(t, debian(good)...))
				doc := map[string]object{"index": l.index, "manifest": l.manifest, "config": l.config}[what]
				doc[m] = v
				name := what + "-" + m + "-" + kind
				res := r.scan(l.write(r, name))
				if res.code != 0 && res.code != 1 && res.code != 4 {
					t.Errorf("%s: exit code %d\n%.500s", name, res.code, res.stderr)
				}
				if res.code == 1 && !strings.Contains(res.stderr, "malformed") && !strings.Contains(res.stderr, "not found") && !strings.Contains(res.stderr, "unsupported") {
					t.Errorf("%s: no named error\n%.500s", name, res.stderr)
				}
			}
		}
	}
	for name, text := range map[string]string{"array": "[]", "number": "1", "null": "null", "deep": strings.Repeat(`{"manifests":[`, 100_000), "nothing": ""} {
		l := newLayout(layerOf(t, debian(good)...))
		l.raw["index"] = []byte(text)
		want{1, "", nil}.check(t, r.scan("oci:"+l.write(r, "whole-"+name)))
	}
}
