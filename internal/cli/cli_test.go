package cli_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"bulwark/internal/cli"
)

func TestMain(m *testing.M) {
	program := func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
	testscript.Main(m, map[string]func(){"bulwark": program, "kubectl-bulwark": program})
}

// TestScripts runs the transcripts in testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			e.Setenv("HOME", e.WorkDir)
			facts, err := filepath.Abs("../../test/demo/testdata")
			e.Setenv("FACTS", facts)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mkimage": mkimage, "cut": cut, "jq": jq, "code": code,
		},
		RequireExplicitExec: true,
	})
}

// code runs bulwark and wants an exit code: code 3 scan image.tar --fail-on high
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N ARGS")
	}
	err := ts.Exec("bulwark", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("bulwark %s: exit code %s, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

// mkimage makes a docker-archive of folders: mkimage image.tar base app. What a file beside
// a folder says (app.history) are its lines of the history, the last but CMD of which made the layer;
// image.tar.config is the image's configuration.
func mkimage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mkimage FILE LAYERDIR...")
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	add := func(name string, data []byte) {
		ts.Check(w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}))
		_, err := w.Write(data)
		ts.Check(err)
	}
	var diffIDs, layers []string
	var history []map[string]any
	for _, dir := range args[1:] {
		data := pack(ts, ts.MkAbs(dir))
		sum := sha256.Sum256(data)
		id := hex.EncodeToString(sum[:])
		add(id+"/layer.tar", data)
		diffIDs, layers = append(diffIDs, "sha256:"+id), append(layers, id+"/layer.tar")
		lines := []string{"COPY " + dir}
		if text, err := os.ReadFile(ts.MkAbs(dir + ".history")); err == nil {
			lines = strings.Split(strings.TrimSpace(string(text)), "\n")
		}
		made := len(lines) - 1
		for made > 0 && strings.HasPrefix(lines[made], "CMD") {
			made--
		}
		for i, line := range lines {
			history = append(history, map[string]any{"created_by": line, "empty_layer": i != made})
		}
	}
	settings, err := os.ReadFile(ts.MkAbs(args[0] + ".config"))
	if err != nil {
		settings = []byte("{}")
	}
	config, err := json.Marshal(map[string]any{"config": json.RawMessage(settings), "architecture": "amd64", "os": "linux", "created": "2026-10-01T00:00:00Z",
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs}, "history": history})
	ts.Check(err)
	add("config.json", config)
	manifest, err := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{"test:1"}, "Layers": layers}})
	ts.Check(err)
	add("manifest.json", manifest)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out.Bytes(), 0o644))
}

func pack(ts *testscript.TestScript, dir string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	ts.Check(err)
	ts.Check(w.Close())
	return b.Bytes()
}

// cut keeps the first part of a file: cut image.tar 3000
func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE BYTES")
	}
	var n int64
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// jq compares a value of a json file with a text: jq report.json summary.complete true
func jq(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: jq FILE PATH WANT")
	}
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	for part := range strings.SplitSeq(args[1], ".") {
		v = member(v, part)
	}
	if got := fmt.Sprint(v); (got == args[2]) == neg {
		ts.Fatalf("%s of %s is %s, want %s", args[1], args[0], got, args[2])
	}
}

// member is a member of an object, an element of a list, or its length ("len").
func member(v any, part string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[part]
	case []any:
		if part == "len" {
			return len(v)
		}
		var i int
		if _, err := fmt.Sscan(part, &i); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}
