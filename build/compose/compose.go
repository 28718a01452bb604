// Package compose is the vocabulary of compose files: services with what they ask of
// the engine, each value with the line it stands on.
//
// The YAML is read with positions, and the syntax inside of values is that of compose-go:
// its templates, and its short forms of ports and mounts (tests hold that the whole
// reading agrees with compose-go's loader). Nothing outside of the file is read: no
// environment, no .env and env_file, no include, and no file that extends names. A
// variable has the default that the file gives it, or is empty.
package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"

	"bulwark"
	"bulwark/build/internal/yamldoc"
)

const (
	maxServices = 2000
	maxExtends  = 16
	maxTemplate = 2048 // bytes of a value with variables that is expanded
)

// Node is a value with its place.
type Node = yamldoc.Node

// File is a compose file.
type File struct {
	Services []*Service // in the order of the file
	// Includes are the files that it includes.
	Includes []Node
	docs     []*yamldoc.Doc
}

// Service is one service. What it has by extending another service of the same file is
// its own; what a file elsewhere has, is not known.
type Service struct {
	Name string
	// At is the key that names the service.
	At Node
	// parts are the service's own mapping and those it extends, the nearest first.
	parts []Node
	// Elsewhere is the file that it extends a service of; "" for none.
	Elsewhere string
}

// Parse reads a compose file. The error wraps ErrMalformed or ErrLimit; what was read
// before it is given.
func Parse(data []byte) (*File, error) {
	f := &File{}
	var err error
	f.docs, err = yamldoc.Parse(data)
	for _, d := range f.docs {
		services := d.Root.Get("services")
		if !services.Exists() && !d.Root.Get("version").Exists() {
			services = legacy(d.Root)
		}
		byName := map[string]Node{}
		var names []Node
		for k, v := range services.Pairs() {
			if _, twice := byName[k.Text()]; !twice && v.IsMap() && len(f.Services)+len(names) < maxServices {
				byName[k.Text()] = v
				names = append(names, k)
			}
		}
		for _, k := range names {
			f.Services = append(f.Services, service(k, byName))
		}
		f.includes(d.Root.Get("include"))
	}
	return f, err
}

// includes reads a list of paths, or of mappings with one path or several.
func (f *File) includes(list Node) {
	for item := range list.Items() {
		paths := item.Texts()
		if item.IsMap() {
			paths = item.Get("path").Texts()
		}
		f.Includes = append(f.Includes, paths...)
	}
}

// Volume is a volume of the file that is a folder of the host under another name.
type Volume struct {
	Name, Device string
	ReadOnly     bool
	At           Node // the device
}

// Volumes are the named volumes that bind a folder of the host.
func (f *File) Volumes() []Volume {
	var out []Volume
	for _, d := range f.docs {
		for k, v := range d.Root.Get("volumes").Pairs() {
			o := v.Get("driver_opts")
			options, _ := Expand(o.Get("o").Text())
			device, _ := Expand(o.Get("device").Text())
			if device == "" || !slices.Contains(strings.Split(options, ","), "bind") {
				continue
			}
			out = append(out, Volume{k.Text(), device, slices.Contains(strings.Split(options, ","), "ro"), o.Get("device")})
		}
	}
	return out
}

// legacy takes a file of the first version, whose services stand at the top.
func legacy(root Node) Node {
	some := false
	for _, v := range root.Pairs() {
		if !v.IsMap() || !v.Get("image").IsScalar() && !v.Get("build").Exists() {
			return Node{}
		}
		some = true
	}
	if !some {
		return Node{}
	}
	return root
}

// Err wraps ErrLimit when looking at the file has cost too much, so that not all of it
// was seen.
func (f *File) Err() error {
	for _, d := range f.docs {
		if d.Exhausted {
			return fmt.Errorf("aliases make the file larger than can be read: %w", bulwark.ErrLimit)
		}
	}
	if len(f.Services) >= maxServices {
		return fmt.Errorf("more than %d services: %w", maxServices, bulwark.ErrLimit)
	}
	return nil
}

// service follows extends.
func service(key Node, byName map[string]Node) *Service {
	s := &Service{Name: key.Text(), At: key}
	seen := map[string]bool{}
	for name := s.Name; name != "" && !seen[name] && len(s.parts) < maxExtends; {
		seen[name] = true
		node := byName[name]
		if !node.Exists() {
			break
		}
		s.parts = append(s.parts, node)
		extends := node.Get("extends")
		if file := extends.Get("file").Text(); file != "" {
			s.Elsewhere = file
			break
		}
		name = extends.Text()
		if extends.IsMap() {
			name = extends.Get("service").Text()
		}
	}
	return s
}

// Expand replaces variables by the defaults that the text gives them; one without a
// default becomes nothing. known is false when a variable was left without a value.
func Expand(text string) (expanded string, known bool) {
	known = true
	if len(text) > maxTemplate {
		return text, false
	}
	expanded, err := template.SubstituteWithOptions(text, func(string) (string, bool) { return "", false },
		template.WithoutLogging, template.WithReplacementFunction(func(part string, m template.Mapping, c *template.Config) (string, error) {
			out, applied, err := template.DefaultReplacementAppliedFunc(part, m, c)
			if err != nil {
				known = false
				return "", nil // ${X:?it must be set}
			}
			known = known && (applied && out != "" || part == "$$")
			return out, nil
		}))
	if err != nil {
		return text, false
	}
	return expanded, known
}

// Get is the value of a key, the nearest that there is.
func (s *Service) Get(keys ...string) Node {
	for _, p := range s.parts {
		if n := p.Get(keys...); n.Exists() && n.Tag() != "!reset" {
			return n
		}
	}
	return Node{}
}

// Own is the service's own mapping.
func (s *Service) Own() Node { return s.parts[0] }

// Scalar is the value of a key, variables expanded.
func (s *Service) Scalar(keys ...string) (string, Node) {
	n := s.Get(keys...)
	text, _ := Expand(n.Text())
	return text, n
}

// List gives the elements of a list, those of extended services too.
func (s *Service) List(keys ...string) []Node {
	var out []Node
	for _, p := range s.parts {
		n := p.Get(keys...)
		if n.IsScalar() {
			out = append(out, n)
		}
		for item := range n.Items() {
			out = append(out, item)
		}
		if n.Tag() == "!override" || n.Tag() == "!reset" {
			break
		}
	}
	return out
}

// Variable is a variable that a service is given.
type Variable struct {
	Name  string
	Value string // as it is written
	Set   bool   // false: passed on from whoever starts it
	At    Node
}

// Variables reads a mapping, or a list of NAME=value: environment, build arguments.
func (s *Service) Variables(keys ...string) []Variable {
	var out []Variable
	seen := map[string]bool{}
	add := func(v Variable) {
		if v.Name != "" && !seen[v.Name] {
			seen[v.Name] = true
			out = append(out, v)
		}
	}
	for _, p := range s.parts {
		n := p.Get(keys...)
		for item := range n.Items() {
			name, value, ok := cut(item.Text())
			add(Variable{name, value, ok, item})
		}
		for k, v := range n.Pairs() {
			at := v
			if v.Line() != k.Line() {
				at = k
			}
			add(Variable{k.Text(), v.Text(), v.IsScalar(), at})
		}
	}
	return out
}
