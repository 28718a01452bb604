package oci

import (
	"context"

	"bulwark"
)

// FromLayout makes a target of an image in an OCI layout, whose index.json is given.
func FromLayout(ctx context.Context, index []byte, s Store, ref, name string, p Platform) (*bulwark.Target, error) {
	d, err := parseDocument(index, "index.json")
	if err != nil {
		return nil, err
	}
	roots, err := Select(d.Manifests, name)
	if err != nil {
		return nil, err
	}
	m, err := Resolve(ctx, s, roots, p)
	if err != nil {
		return nil, err
	}
	m.Ref = ref
	if name == "" {
		m.Tag = onlyName(roots)
	}
	return m.Target(p)
}

// onlyName is what all of them are called; empty when they are called differently, or nothing.
func onlyName(list []Descriptor) string {
	only := ""
	for i := range list {
		names := list[i].names()
		if len(names) == 0 || only != "" && names[0] != only {
			return ""
		}
		only = names[0]
	}
	return only
}
