package kube

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestLongLists: what kubectl gives of a large cluster is one document, and every object in
// it is read, with its line.
func TestLongLists(t *testing.T) {
	var yaml, json strings.Builder
	yaml.WriteString("apiVersion: v1\nitems:\n")
	json.WriteString("{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n")
	const objects = 30_000
	for i := range objects {
		fmt.Fprintf(&yaml, "- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p%d\n    annotations:\n      text: |\n        - a list\n        %s\n", i, strings.Repeat("x", 500))
		comma := ","
		if i == objects-1 {
			comma = ""
		}
		fmt.Fprintf(&json, "        {\n            \"apiVersion\": \"v1\",\n            \"kind\": \"Pod\",\n            \"metadata\": {\n                \"name\": \"p%d\",\n                \"x\": %q\n            }\n        }%s\n", i, strings.Repeat("y", 500), comma)
	}
	yaml.WriteString("kind: List\nmetadata:\n  resourceVersion: \"\"\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: behind}\n")
	json.WriteString("    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n")
	for _, tt := range []struct {
		name, text   string
		first, lines int
		behind       int
	}{{"YAML", yaml.String(), 3, 8, 1}, {"JSON", json.String(), 4, 8, 0}} {
		docs := ParseYAML([]byte(tt.text))
		if len(docs) != objects+tt.behind {
			t.Errorf("%s: %d documents of %d", tt.name, len(docs), objects+tt.behind)
			continue
		}
		for i, d := range docs[:objects] {
			if d.Err != nil || d.Root.Get("metadata", "name").Text() != fmt.Sprintf("p%d", i) || d.Root.Get("kind").Line() < tt.first+i*tt.lines || d.Root.Get("kind").Line() > tt.first+(i+1)*tt.lines {
				t.Fatalf("%s: object %d: %v, %q in line %d", tt.name, i, d.Err, d.Root.Get("metadata", "name").Text(), d.Root.Line())
			}
		}
	}
}

// TestSplitAsChunks: a text that is held is divided as one that is streamed.
func TestSplitAsChunks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"---", "\n", "---\n", "--- ", "a: b\n", "----\n", "\r\n", " ---\n", "---\t", "x", ""}
	list := func(chunks iter.Seq[Chunk]) (all []Chunk) {
		for c := range chunks {
			c.Text = bytes.Clone(c.Text)
			all = append(all, c)
		}
		return all
	}
	for range 20_000 {
		var text []byte
		for range r.IntN(8) {
			text = append(text, parts[r.IntN(len(parts))]...)
		}
		if diff := cmp.Diff(list(Chunks(bytes.NewReader(text))), list(Split(text)), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q (-streamed +held):\n%s", text, diff)
		}
	}
}
