package kube

import "bytes"

// Schemas of custom resources are most of what a folder of manifests holds, in bytes (two
// thirds of kube-prometheus'), no check asks for them, and reading YAML is what a scan of
// manifests spends its time on. They are taken out of the text before it is read: a
// definition then has a schema without content.

const leastSchema = 16 << 10 // bytes of a document that is worth it

// withoutSchemas is the text of a definition of a custom resource with the lines of its
// schemas empty, so that all others keep their numbers. ok is false when it is something
// else, or has no schema.
func withoutSchemas(text []byte) (out []byte, ok bool) {
	if len(text) < leastSchema || !bytes.Contains(text, []byte("\nkind: CustomResourceDefinition")) {
		return nil, false
	}
	out = make([]byte, 0, len(text)/8)
	inside := -1 // how far the key of the schema is indented; -1 outside of one
	for line := range bytes.Lines(text) {
		indent := 0
		for indent < len(line) && line[indent] == ' ' {
			indent++
		}
		if inside >= 0 && indent > inside {
			out = append(out, '\n')
			continue
		}
		trimmed := bytes.TrimRight(line[indent:], " \t\r\n")
		if inside >= 0 && (len(trimmed) == 0 || trimmed[0] == '#') {
			out = append(out, '\n')
			continue
		}
		inside = -1
		if string(trimmed) == "openAPIV3Schema:" {
			inside, ok = indent, true
		}
		out = append(out, line...)
	}
	return out, ok
}
