//go:build linux

package hostile

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// flip changes a byte.
func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x55
	return b
}

// noise is a file that does not compress, so that a stream has a middle.
func noise(name string, n int) file {
	b := make([]byte, n)
	seed := uint32(1)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return file{name: name, text: string(b)}
}

// TestDamagedLayers scans an image of a good layer and one whose bytes fit their digest
// and are no layer.
func TestDamagedLayers(t *testing.T) {
	t.Parallel()
	files := append(distroless(next), noise("opt/data", 300_000), file{name: "etc/last", text: "x"})
	plain := tarBytes(t, files...)
	gz, zst := gzipped(t, plain), zstded(t, plain)
	for _, tt := range []struct {
		name string
		data []byte
		want want
	}{
		{"truncated tar", plain[:len(plain)/2], want{4, "malformed", []string{good, next}}},
		{"truncated behind a file", plain[:1024], want{4, "not trusted", []string{good}}},
		{"corrupt header", flip(plain, 100), want{4, "malformed", []string{good}}},
		{"not a tar", bytes.Repeat([]byte("hello "), 1000), want{4, "malformed", []string{good}}},
		{"truncated gzip", gz[:len(gz)/2], want{4, "malformed", []string{good, next}}},
		{"gzip header alone", gz[:10], want{4, "malformed", []string{good}}},
		{"half a gzip header", gz[:5], want{4, "malformed", []string{good}}},
		{"gzip without its trailer", gz[:len(gz)-8], want{4, "malformed", []string{good, next}}},
		{"corrupt gzip", flip(gz, len(gz)/2), want{4, "malformed", []string{good}}},
		{"gzip with garbage behind", append(bytes.Clone(gz), "garbage"...), want{4, "malformed", []string{good, next}}},
		{"truncated zstd", zst[:len(zst)/2], want{4, "malformed", []string{good, next}}},
		{"corrupt zstd", flip(zst, len(zst)-20), want{4, "malformed", []string{good}}},
		{"zstd header alone", zst[:6], want{4, "malformed", []string{good}}},
		{"xz", []byte("\xfd7zXZ\x00 and so on"), want{4, "unsupported", []string{good}}},
		{"one byte", []byte{0x1f}, want{4, "malformed", []string{good}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			l := newLayout(layerOf(t, debian(good)...), stored(tt.data, plain))
			tt.want.check(t, r.scan(l.write(r, "bad")))
		})
	}
}

// TestDamagedArchives scans archives that are damaged themselves, alone and beside a
// good target.
func TestDamagedArchives(t *testing.T) {
	t.Parallel()
	layer := tarBytes(t, append(debian(good), noise("opt/data", 100_000))...)
	whole := archive(t, layer)
	gz, zst := gzipped(t, whole), zstded(t, whole)
	for _, tt := range []struct {
		name  string
		data  []byte
		words string
	}{
		{"empty", nil, ""},
		{"truncated tar", whole[:len(whole)/2], "malformed"},
		{"truncated gzip", gz[:len(gz)/2], "malformed"},
		{"corrupt gzip", flip(gz, len(gz)/2), ""},
		{"truncated zstd", zst[:len(zst)/2], "malformed"},
		{"corrupt zstd", flip(zst, len(zst)/2), "malformed"},
		{"without a manifest", tarBytes(t, file{name: "x", text: "y"}), ""},
		{"manifest of the wrong type", tarBytes(t, file{name: "manifest.json", text: `{"Config":1}`}), "malformed"},
		{"manifest of wrong members", tarBytes(t, file{name: "manifest.json", text: `[{"Config":1,"Layers":"x"}]`}), "malformed"},
		{"manifest that names nothing", tarBytes(t, file{name: "manifest.json", text: `[{"Config":"c","Layers":["l"]}]`}), ""},
		{"no manifest in it", tarBytes(t, file{name: "manifest.json", text: `[]`}), ""},
		{"layer that leads out", tarBytes(t, file{name: "manifest.json", text: `[{"Config":"/etc/hostname","Layers":["../../../etc/passwd"]}]`}), ""},
		{"a manifest that is no JSON", tarBytes(t, file{name: "manifest.json", text: "\x1b[31mred"}), "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			bad := "tar:" + r.put("bad.tar", tt.data)
			want{1, tt.words, nil}.check(t, r.scan(bad))
			want{4, tt.words, []string{next}}.check(t, r.scan(bad, r.next()))
		})
	}
}

// TestTruncatedEverywhere cuts one archive at many places: never a clean answer.
func TestTruncatedEverywhere(t *testing.T) {
	t.Parallel()
	whole := gzipped(t, archive(t, tarBytes(t, debian(good)...)))
	r := newRoom(t)
	for i := 1; i < len(whole); i += len(whole) / 25 {
		res := r.scan("tar:" + r.put(fmt.Sprint("cut", i), whole[:i]))
		if res.code != 1 && res.code != 4 {
			t.Errorf("cut at %d of %d: exit code %d", i, len(whole), res.code)
		}
	}
}

// TestIncompleteIsNoFailure: without --require-complete the same run ends with 0.
func TestIncompleteIsNoFailure(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	plain := tarBytes(t, distroless(next)...)
	bad := newLayout(layerOf(t, debian(good)...), stored(gzipped(t, plain)[:60], plain)).write(r, "bad")
	for range 2 { // the second time from the cache
		res := r.json("scan", "--offline", bad)
		if res.code != 0 || res.report.Summary.Complete {
			t.Errorf("exit code %d, complete %v", res.code, res.report.Summary.Complete)
		}
	}
}

// TestStandardInput reads bad bytes from standard input.
func TestStandardInput(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for name, data := range map[string]string{
		"nothing": "", "text": "hello", "json": `{"a":`, "sbom": `{"bomFormat":"CycloneDX","components":[`, "gzip": "\x1f\x8b\x08",
	} {
		ctx := t.Context()
		cmd := r.command(ctx, "scan", "-", "--db", database, "--offline", "--cache-dir", r.path("cache"))
		cmd.Stdin = io.NopCloser(bytes.NewReader([]byte(data)))
		out, _ := cmd.CombinedOutput() // the exit code tells
		res := &result{code: cmd.ProcessState.ExitCode(), stderr: string(out)}
		res.harmless(t)
		if res.code != 1 {
			t.Errorf("%s: exit code %d\n%s", name, res.code, out)
		}
	}
}
