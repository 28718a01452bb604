package oci

import (
	"fmt"
	"slices"
	"strings"

	"bulwark"
)

// names that a descriptor of a layout's index goes by, the full one first.
func (d *Descriptor) names() []string {
	var names []string
	for _, k := range []string{"io.containerd.image.name", ociPrefix + "ref.name"} {
		if n := d.Annotations[k]; n != "" {
			names = append(names, n)
		}
	}
	return names
}

// Select keeps the descriptors that go by the name or digest. Without a name all must
// mean one image: be the same, or one for each platform.
func Select(list []Descriptor, name string) ([]Descriptor, error) {
	list = slices.Clone(list)
	list = slices.DeleteFunc(list, func(d Descriptor) bool { return d.isAttestation() })
	if name == "" {
		return onlyOne(list)
	}
	found := slices.DeleteFunc(slices.Clone(list), func(d Descriptor) bool {
		return d.Digest != name && !slices.ContainsFunc(d.names(), func(n string) bool { return SameName(n, name) })
	})
	if len(found) == 0 {
		return nil, NotHere(name, called(list))
	}
	return dedupe(found), nil
}

func onlyOne(list []Descriptor) ([]Descriptor, error) {
	list = dedupe(list)
	if len(list) < 2 {
		return list, nil
	}
	names, platforms := map[string]bool{}, map[Platform]bool{}
	for _, d := range list {
		names[strings.Join(d.names(), " ")] = true
		if d.Platform != nil {
			platforms[*d.Platform] = true
		}
	}
	if len(names) == 1 && (!names[""] || len(platforms) == len(list)) {
		return list, nil
	}
	return nil, Several(called(list))
}

func dedupe(list []Descriptor) []Descriptor {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(d Descriptor) bool {
		old := seen[d.Digest]
		seen[d.Digest] = true
		return old
	})
}

func called(list []Descriptor) []string {
	var names []string
	for _, d := range list {
		n := d.Digest
		if have := d.names(); len(have) > 0 {
			n = have[0]
		}
		names = append(names, n)
	}
	return names
}

// SameName compares image names as Docker does: nginx is docker.io/library/nginx:latest.
func SameName(a, b string) bool { return a == b || normal(a) == normal(b) }

func normal(n string) string {
	n = strings.TrimPrefix(n, "index.docker.io/")
	n = strings.TrimPrefix(n, "docker.io/")
	n = strings.TrimPrefix(n, "library/")
	if !strings.Contains(n[strings.LastIndexByte(n, '/')+1:], ":") {
		n += ":latest"
	}
	return n
}

// Several is the error for a choice that the user has to make.
func Several(names []string) error {
	return fmt.Errorf("it holds several images, add #NAME to choose one of %s: %w", list(names), bulwark.ErrNotFound)
}

// NotHere is the error for a name that fits no image.
func NotHere(name string, names []string) error {
	return fmt.Errorf("no image is called %.200q there, but %s: %w", name, list(names), bulwark.ErrNotFound)
}

func list(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	var quoted []string
	for _, n := range names {
		if len(quoted) == 20 {
			return strings.Join(quoted, ", ") + ", ..."
		}
		quoted = append(quoted, fmt.Sprintf("%.200q", n))
	}
	if len(quoted) == 0 {
		return "none"
	}
	return strings.Join(quoted, ", ")
}
