// Package framework holds a run against frameworks of controls: benchmarks, guidelines,
// lists of risks. Each control names the rules whose findings speak against it, and what
// must have been seen before their silence speaks for it.
//
// What a framework demands is told in words of this project: the ids are the framework's.
package framework

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"bulwark"
)

// Definition is a framework.
type Definition struct {
	ID       string    `yaml:"id"` // what --framework takes
	Title    string    `yaml:"title"`
	Version  string    `yaml:"version"`
	Refs     []string  `yaml:"refs"`
	Sections []Section `yaml:"sections"`
}

// Section is a part of a framework.
type Section struct {
	ID       string    `yaml:"id"`
	Title    string    `yaml:"title"`
	Needs    []string  `yaml:"needs"` // of its controls that say nothing of it
	Hand     string    `yaml:"hand"`  // the same
	Controls []Control `yaml:"controls"`
}

// Control is one demand.
type Control struct {
	ID    string `yaml:"id"`
	Title string `yaml:"title"` // what is demanded
	Why   string `yaml:"why"`
	Hand  string `yaml:"hand"` // how a person finds out
	// Rules are globs of the ids of rules that speak against it. Without any it is manual.
	Rules []string `yaml:"rules"`
	// Tag, when it is set, takes the rules that have it as well: "cis:5.2.2".
	Tag string `yaml:"tag"`
	// Only takes those findings of Rules alone that have a tag like this one; Except those that
	// have none.
	Only   string `yaml:"only"`
	Except string `yaml:"except"`
	// Needs are what must have been seen before silence counts, one of them: kinds of
	// objects, "workload", "image", "component:kube-apiserver", "config:KubeletConfiguration".
	Needs []string `yaml:"needs"`
	// Manual is true where rules see only a part: their silence does not decide.
	Manual bool `yaml:"manual"`
}

//go:embed data/*.yaml
var data embed.FS

var load = sync.OnceValues(func() ([]Definition, error) {
	names, err := fs.Glob(data, "data/*.yaml")
	if err != nil {
		return nil, err
	}
	var list []Definition
	for _, name := range names {
		d, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Definition) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
})

// read reads a framework of ours, and hands down what its sections say for their controls.
func read(name string) (d Definition, err error) {
	text, err := data.ReadFile(name)
	if err != nil {
		return d, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&d); err != nil {
		return d, err
	}
	for i := range d.Sections {
		s := &d.Sections[i]
		for j := range s.Controls {
			c := &s.Controls[j]
			c.Hand = cmp.Or(c.Hand, s.Hand)
			if c.Needs == nil {
				c.Needs = s.Needs
			}
		}
	}
	return d, nil
}

// All gives the frameworks by id.
func All() ([]Definition, error) { return load() }

// IDs are those that --framework takes: the names of the files, so that a command can name
// them without reading any.
func IDs() []string {
	files, _ := data.ReadDir("data") // it is embedded
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = strings.TrimSuffix(f.Name(), ".yaml")
	}
	slices.Sort(ids)
	return ids
}

// Named gives a framework by its id; the error wraps [bulwark.ErrNotFound].
func Named(id string) (*Definition, error) {
	list, err := load()
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == strings.ToLower(id) {
			return &list[i], nil
		}
	}
	return nil, fmt.Errorf("framework %q: %w; there are %s", id, bulwark.ErrNotFound, strings.Join(IDs(), " "))
}

// Control gives a control by its id, and the section that it is in.
func (d *Definition) Control(id string) (*Control, *Section) {
	for i := range d.Sections {
		for j := range d.Sections[i].Controls {
			if c := &d.Sections[i].Controls[j]; strings.EqualFold(c.ID, id) {
				return c, &d.Sections[i]
			}
		}
	}
	return nil, nil
}

// Decides tells whether a rule's findings may speak against the control.
func (c *Control) Decides(r *bulwark.Rule) bool {
	return c.names(r.ID) || c.Tag != "" && slices.Contains(r.Tags, c.Tag)
}

// Tells tells whether findings of a rule that decides have the tag that counts by themselves;
// true where no tag is asked for.
func (c *Control) Tells(r *bulwark.Rule) bool {
	return c.Only == "" || slices.ContainsFunc(r.Tags, func(tag string) bool { return match(c.Only, tag) })
}

// Wanted are the needs of a control in words.
func (c *Control) Wanted() []string {
	words := map[string]string{"engine": "containers that run on a machine", "docker": "the settings of Docker", "docker:files": "the files of Docker",
		"version": "versions of components", "cluster": "a cluster that runs"}
	var list []string
	for _, need := range c.Needs {
		kind, name, _ := strings.Cut(need, ":")
		switch {
		case words[need] != "":
			list = append(list, words[need])
		case kind == "component":
			list = append(list, "the command line of "+name)
		default:
			list = append(list, cmp.Or(name, need))
		}
	}
	return list
}

// names tells whether one of the globs is of that id. A rule that stands for many (vuln/*) is
// named by its own id.
func (c *Control) names(id string) bool {
	return slices.ContainsFunc(c.Rules, func(glob string) bool { return match(glob, id) })
}

func match(glob, id string) bool {
	ok, err := path.Match(glob, id)
	return err == nil && ok || glob == id
}
